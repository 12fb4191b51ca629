"""Reads the titles out of a model's answer: JSON first, then a table, a numbered list, plain lines, or one line parted by marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.evaluation.answers.cleaning import said_aloud
from tasks.evaluation.answers.counted import comma_rows, counted_titles
from tasks.evaluation.answers.entries import Recommended, entry_of
from tasks.evaluation.answers.json_lists import json_titles
from tasks.evaluation.answers.lists import (
    HEADS,
    bullet_titles,
    inline_titles,
    is_prose,
    is_refusal,
    line_titles,
    numbered_titles,
    parted_titles,
    quoted_titles,
    table_titles,
)

MOST = 200  # titles taken from one answer; more are a model that went on and on
_LONGEST = 100_000  # characters read of one answer

How = Literal["json", "table", "numbered", "lines", "commas", "none"]


@dataclass(frozen=True)
class Parsed:
    """The entries of an answer in order, and how they were found; `none` is a parse failure."""

    entries: tuple[Recommended, ...]
    how: How


def parse_answer(text: str) -> Parsed:
    """Return the titles a model recommends.

    Reasoning, chat tokens and turns made up after the answer do not count. A JSON list (also inside a code fence or prose, grouped,
    cut off or badly quoted) is taken first; then a table; a numbered list, one line an entry or all in one; bullets; one line parted
    at marks; plain lines. Repeated titles are kept: matching counts them.
    """
    said = said_aloud(text[:_LONGEST])
    if (found := json_titles(said)) is not None:
        return _parsed(_uncounted(found), "json")
    lines = [line for line in said.splitlines() if line.strip()]
    if found := table_titles(lines) or comma_rows(lines, HEADS):
        return _parsed(found, "table")
    numbered = numbered_titles(lines)
    if len(numbered) < 2 and (found := inline_titles(" ".join(lines)) or counted_titles(lines)):
        numbered = found
    if numbered:
        return _parsed(numbered, "numbered")
    if bullets := bullet_titles(lines):
        return _parsed(bullets, "lines")
    return _unmarked(lines)


def _unmarked(lines: Sequence[str]) -> Parsed:
    """Read an answer without any list mark: lines that are titles, one line parted by marks, or titles quoted in running text."""
    plain = line_titles(lines)
    if lines and is_refusal(lines[0]):
        return _parsed([], "none")
    if len(plain) <= 1:
        longest = _longest(plain or lines)
        if found := parted_titles(longest):
            return _parsed(found, "commas")
        if is_prose(longest) and (found := quoted_titles(" ".join(lines))):
            return _parsed(found, "lines")
    return _parsed(plain, "lines")


def _uncounted(titles: list[str]) -> list[str]:
    """Return titles without the numbers some models write into the strings of a JSON list, where all are counted."""
    bare = numbered_titles(titles)
    return bare if len(bare) > 1 and len(bare) == len(titles) else titles


def _longest(lines: Sequence[str]) -> str:
    return max(lines, key=len, default="")


def _parsed(titles: Sequence[str], how: How) -> Parsed:
    entries = tuple(entry for title in titles[:MOST] if (entry := entry_of(title)).title)
    return Parsed(entries, how if entries else "none")
