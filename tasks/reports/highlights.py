"""Marks the items named in utterances and reviews, and the words that both have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.word_runs import Run, SharedRuns, Word, words_of

MOST_CHARACTERS = 6_000  # of one text; the rest is not looked at
_DISTINCTIVE = 4  # letters
_SHORT_RUN = 3  # words

Kind = Literal["plain", "item", "shared"]


@dataclass(frozen=True)
class Piece:
    """A piece of a text: plain, an item's title, or words shared with a review of an item slot."""

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
    """Return where titles are in a text, in any letter case; the longer of two that overlap."""
    spans = []
    for slot, title in titles.items():
        if title:
            matches = re.finditer(re.escape(title), text, re.IGNORECASE)
            spans += [Span(match.start(), match.end(), "item", slot) for match in matches]
    return _without_overlaps(sorted(spans, key=lambda span: span.start - span.end))


def shared_spans(
    utterance: str, review: str, slot: int, common: frozenset[str], taken: Sequence[Span] = ()
) -> tuple[list[Span], list[Span]]:
    """Return the runs of words that an utterance shares with a review, as spans of each.

    A run counts if it has a distinctive word: one of at least four letters that is not among the
    `common` ones. Each word of the utterance belongs to one run at most, the longest that begins
    there; words in `taken` spans of the utterance belong to none.
    """
    here, there = words_of(utterance[:MOST_CHARACTERS]), words_of(review[:MOST_CHARACTERS])
    known = SharedRuns([word.text for word in there])
    words = _without_taken(here, taken)
    in_utterance: list[Span] = []
    in_review: list[Span] = []
    begin = 0
    while begin < len(here):
        run = _trimmed(words, known.longest_from(words, begin), common)
        if run.length and _is_distinctive(words[run.here : run.here + run.length], common):
            in_utterance.append(_span(here, run.here, run.length, slot))
            in_review.append(_span(there, run.there, run.length, slot))
        begin = run.here + max(1, run.length)
    return in_utterance, in_review


def pieces(text: str, spans: Iterable[Span]) -> list[Piece]:
    """Cut a text at its spans; where spans overlap, those given first stay.

    The pieces put together are the text.
    """
    cut: list[Piece] = []
    begin = 0
    for span in sorted(_without_overlaps(spans), key=lambda span: span.start):
        if span.start > begin:
            cut.append(Piece(text[begin : span.start]))
        cut.append(Piece(text[span.start : span.end], span.kind, span.slot))
        begin = span.end
    if begin < len(text):
        cut.append(Piece(text[begin:]))
    return cut


def _without_taken(words: Sequence[Word], taken: Sequence[Span]) -> list[str]:
    """Return words, empty in a taken span: an empty one equals no other and ends a run."""
    texts = []
    for word in words:
        is_taken = any(word.start < span.end and word.end > span.start for span in taken)
        texts.append("" if is_taken else word.text)
    return texts


def _is_distinctive(run: Sequence[str], common: frozenset[str]) -> bool:
    return any(len(word) >= _DISTINCTIVE and word not in common for word in run)


def _span(words: Sequence[Word], begin: int, length: int, slot: int) -> Span:
    return Span(words[begin].start, words[begin + length - 1].end, "shared", slot)


def _trimmed(words: Sequence[str], run: Run, common: frozenset[str]) -> Run:
    """Take common words off both ends of a short run: they are not what is shared."""
    length, here, there = run
    if length > _SHORT_RUN:
        return run
    while length and words[here + length - 1] in common:
        length -= 1
    while length and words[here] in common:
        length, here, there = length - 1, here + 1, there + 1
    return Run(length, here, there)


def _without_overlaps(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return kept
