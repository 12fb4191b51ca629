"""Reads the titles out of a model's answer: JSON first, then a table, a numbered list, plain lines, or one line parted by marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.evaluation.answers.cleaning import said_aloud
from tasks.evaluation.answers.entries import Recommended, entry_of
from tasks.evaluation.answers.json_lists import json_titles
from tasks.evaluation.answers.lists import bullet_titles, inline_titles, line_titles, numbered_titles, parted_titles, table_titles

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
        return _parsed(found, "json")
    lines = [line for line in said.splitlines() if line.strip()]
    if found := table_titles(lines):
        return _parsed(found, "table")
    numbered = numbered_titles(lines)
    if len(numbered) < 2 and (found := inline_titles(" ".join(lines))):
        numbered = found
    if numbered:
        return _parsed(numbered, "numbered")
    if bullets := bullet_titles(lines):
        return _parsed(bullets, "lines")
    plain = line_titles(lines)
    if len(plain) <= 1 and (found := parted_titles(_longest(plain or lines))):
        return _parsed(found, "commas")
    return _parsed(plain, "lines")


def _longest(lines: Sequence[str]) -> str:
    return max(lines, key=len, default="")


def _parsed(titles: Sequence[str], how: How) -> Parsed:
    entries = tuple(entry for title in titles[:MOST] if (entry := entry_of(title)).title)
    return Parsed(entries, how if entries else "none")
