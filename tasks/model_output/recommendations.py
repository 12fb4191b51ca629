"""Reads the titles a model recommends out of its answer, in whatever form it lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.model_output.json_lists import json_titles
from tasks.model_output.limits import read_or_else
from tasks.model_output.list_entries import Recommended, entry_of, without_scores
from tasks.model_output.lists import (
    HEADS,
    bullet_titles,
    is_prose,
    is_refusal,
    line_titles,
    numbered_titles,
    table_titles,
    without_lead_in,
)
from tasks.model_output.message import reply_text
from tasks.model_output.numbered_lists import (
    comma_rows,
    counted_titles,
    inline_entries,
    plain_numbers,
)
from tasks.model_output.prose_lists import (
    Piece,
    bracketed_titles,
    parted_titles,
    quoted_titles,
    recommended_in_sentences,
)

MOST = 200  # titles taken from one answer; more are a model that went on and on
_ONE_LINE_TAGS = re.compile(r"(</[A-Za-z][\w-]{0,20}>)\s{0,16}(?=<[A-Za-z])")

_NOTHING = re.compile(r"(?:n/?a|none|nothing|null|unknown|no|yes|ok(?:ay)?)[.!]?", re.IGNORECASE)
_FEWEST_QUOTED = 2  # quoted titles that make a list of one line

How = Literal["json", "table", "numbered", "lines", "commas", "none"]


@dataclass(frozen=True)
class Parsed:
    """The entries of an answer in order, and how they were found; `none` is a parse failure."""

    entries: tuple[Recommended, ...]
    how: How


def parse_answer(text: str) -> Parsed:
    """Return the titles a model recommends.

    Reasoning, chat tokens and turns made up after the answer do not count. A JSON list (also inside
    a code fence or prose, grouped, cut off or badly quoted) is taken first; then a table; a
    numbered list, one line an entry or all in one; bullets; one line parted at marks; plain lines;
    sentences that recommend. Repeated titles are kept: matching counts them.
    """
    return read_or_else(_read, text, lambda _: Parsed((), "none"))


def _read(text: str) -> Parsed:
    reply = plain_numbers(_ONE_LINE_TAGS.sub(r"\1\n", reply_text(text)))
    in_json = json_titles(reply)
    if in_json is not None:
        return _parsed(_uncounted(in_json), "json")
    lines = without_lead_in([line for line in reply.splitlines() if line.strip()])
    for how, reader in _LIST_READERS:
        titles = reader(lines)
        if titles:
            return _parsed(titles, how)
    return _unmarked(lines, reply)


def _table(lines: Sequence[str]) -> list[str]:
    return table_titles(lines) or comma_rows(lines, HEADS)


def _numbered(lines: Sequence[str]) -> list[str]:
    """Return the entries of a numbered list; one number alone gives way to any other counting."""
    numbered = numbered_titles(lines)
    if len(numbered) > 1:
        return numbered
    return inline_entries(" ".join(lines)) or counted_titles(lines) or numbered


# The first reader that finds titles decides.
_LIST_READERS: tuple[tuple[How, Callable[[Sequence[str]], list[str]]], ...] = (
    ("table", _table),
    ("numbered", _numbered),
    ("lines", bullet_titles),
)


def _unmarked(lines: Sequence[str], text: str) -> Parsed:
    """Read an answer without any list mark: lines that are titles, one line, or running text."""
    plain = line_titles(lines)
    if lines and is_refusal(lines[0]):
        return _parsed([], "none")
    if len(plain) > 1:
        return _parsed(plain, "lines")
    longest = max(plain or lines, key=len, default="")
    if _NOTHING.fullmatch(longest.strip()):
        return _parsed([], "none")
    return _in_running_text(longest, text) or _parsed(plain, "lines")


def _in_running_text(longest: str, text: str) -> Parsed | None:
    """Return titles in brackets, recommended, separated or quoted; None without any."""
    bracketed = bracketed_titles(text)
    if bracketed and (len(bracketed) > 1 or is_prose(longest)):
        return _parsed(bracketed, "lines")
    pieces = recommended_in_sentences(text) or parted_titles(longest)
    quoted = quoted_titles(text)
    if pieces and (len(quoted) < len(pieces) or len(quoted) < _FEWEST_QUOTED):
        return _in_pieces(pieces)
    if quoted and (len(quoted) >= _FEWEST_QUOTED or is_prose(longest)):
        return _parsed(quoted, "lines")
    return None


def _uncounted(titles: list[str]) -> list[str]:
    """Return titles without the numbers in them, where all strings of a list are numbered."""
    bare = numbered_titles(titles)
    return bare if len(bare) > 1 and len(bare) == len(titles) else titles


def _parsed(titles: Sequence[str], how: How) -> Parsed:
    kept = without_scores(titles[:MOST])
    entries = [entry_of(title) for title in kept]
    named = tuple(entry for entry in entries if entry.title)
    return Parsed(named, how if named else "none")


def _in_pieces(pieces: Sequence[Piece]) -> Parsed:
    """Return the entries of a line, each with what parted it from the one before."""
    titles = without_scores([piece.text for piece in pieces[:MOST]])
    entries: list[Recommended] = []
    for piece, title in zip(pieces, titles, strict=False):
        entry = entry_of(title)
        if entry.title:
            entries.append(Recommended(entry.title, entry.shorter, piece.parted_by))
    return Parsed(tuple(entries), "commas" if entries else "none")
