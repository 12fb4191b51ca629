"""Marks, in what was said and in the reviews behind it, the items named and the words both have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
MOST_CHARACTERS = 6_000  # of one text; the rest is not looked at

Kind = Literal["plain", "item", "shared"]


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: plain, an item's title, or words shared with the review of an item slot."""

    text: str
    kind: Kind = "plain"
    slot: int | None = None


@dataclass(frozen=True)
class Span:
    """Characters start to end of a text, and why they are marked."""

    start: int
    end: int
    kind: Kind
    slot: int


def item_spans(text: str, titles: Mapping[int, str]) -> list[Span]:
    """Return where titles stand in a text, whatever their letter case; the longer of two that overlap."""
    found = [
        Span(match.start(), match.end(), "item", slot)
        for slot, title in titles.items()
        if title
        for match in re.finditer(re.escape(title), text, re.IGNORECASE)
    ]
    return _without_overlaps(sorted(found, key=lambda span: span.start - span.end))


def shared_spans(said: str, review: str, slot: int, common: frozenset[str], taken: Sequence[Span] = ()) -> tuple[list[Span], list[Span]]:
    """Return the runs of words that an utterance shares with a review, as spans of the one and of the other.

    A run counts when it holds a telling word: one of at least four letters that is not among the `common` ones. Each word of the
    utterance belongs to one run at most, the longest that begins there; words in `taken` spans of the utterance belong to none.
    """
    here, there = _words(said, taken), _words(review)
    places: dict[str, list[int]] = {}
    for place, (word, _, _) in enumerate(there):
        places.setdefault(word, []).append(place)
    in_said, in_review, begin = [], [], 0
    while begin < len(here):
        length, place = _longest(here, there, begin, places.get(here[begin][0], ()))
        begin, length, place = _trimmed(here, begin, length, place, common)
        if length and any(len(word) >= 4 and word not in common for word, _, _ in here[begin : begin + length]):
            in_said.append(Span(here[begin][1], here[begin + length - 1][2], "shared", slot))
            in_review.append(Span(there[place][1], there[place + length - 1][2], "shared", slot))
        begin += max(1, length)
    return in_said, in_review


def pieces(text: str, spans: Iterable[Span]) -> list[Piece]:
    """Cut a text at its spans; where spans overlap, those given first stay. The pieces put together are the text."""
    cut, begin = [], 0
    for span in sorted(_without_overlaps(spans), key=lambda span: span.start):
        if span.start > begin:
            cut.append(Piece(text[begin : span.start]))
        cut.append(Piece(text[span.start : span.end], span.kind, span.slot))
        begin = span.end
    return [*cut, Piece(text[begin:])] if begin < len(text) else cut


def _words(text: str, taken: Sequence[Span] = ()) -> list[tuple[str, int, int]]:
    """Return words with their places; one in a taken span is left empty, so that it equals no other and parts its neighbours."""
    found = ((word[0].lower(), word.start(), word.end()) for word in WORD.finditer(text, 0, MOST_CHARACTERS))
    return [("" if any(start < span.end and end > span.start for span in taken) else word, start, end) for word, start, end in found]


def _longest(
    here: Sequence[tuple[str, int, int]], there: Sequence[tuple[str, int, int]], begin: int, places: Iterable[int]
) -> tuple[int, int]:
    """Return the length of the longest common run that begins at `begin` here, and where it begins there."""
    best, where = 0, 0
    for place in places:
        length = 0
        while begin + length < len(here) and place + length < len(there) and here[begin + length][0] == there[place + length][0]:
            length += 1
        if length > best:
            best, where = length, place
    return best, where


def _trimmed(here: Sequence[tuple[str, int, int]], begin: int, length: int, place: int, common: frozenset[str]) -> tuple[int, int, int]:
    """Take common words off both ends of a short run: they are not what is shared."""
    if length > 3:
        return begin, length, place
    while length and here[begin + length - 1][0] in common:
        length -= 1
    while length and here[begin][0] in common:
        begin, length, place = begin + 1, length - 1, place + 1
    return begin, length, place


def _without_overlaps(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return kept
