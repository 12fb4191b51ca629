"""Text taken over from another one with a word changed here and there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from rapidfuzz.distance import LCSseq

from tasks.word_runs.words import Word, words_of

LEAST_CONTENT: Final = 2
"""Shared words that say something: neither names nor the commonest words of the language."""
LEAST_SHARE: Final = 0.8
"""Share of the stretch, in either text, that the shared words are."""
_GAP: Final = 1.2  # what a word between two shared ones costs; a shared word gains 1


class NearCopy(NamedTuple):
    """A stretch taken over nearly word for word.

    Attributes:
        words: the words that both texts have, in order, names left out.
        text: the stretch as it stands in the copying text.
        source: the stretch that it was taken from.
    """

    words: int
    text: str
    source: str


NONE: Final = NearCopy(0, "", "")


def longest_near_copy(
    text: str, others: Iterable[str], common: Collection[str], least: int
) -> NearCopy:
    """Return the longest stretch of a text that is nearly one of another text.

    That is: `least` words and more, names left out, are the same and in the same order, at most a
    fifth of the stretch is not, and `LEAST_CONTENT` of them are no common words. A retelling that
    keeps names and phrases of the language is none.

    Args:
        text: the text that may have copied.
        others: the texts that it may have copied from.
        common: words of the language that say little, in small letters.
        least: words that the two must share.

    Returns:
        The stretch; without words if there is none.
    """
    here = words_of(text)
    best = NONE
    for other in others:
        there = words_of(other)
        for pairs in _stretches(here, there):
            words = _words_taken_over(text, here, pairs, common)
            if words >= max(least, best.words + 1):
                best = NearCopy(words, *_as_written(text, here, other, there, pairs))
    return best


def _words_taken_over(
    text: str, here: Sequence[Word], pairs: Sequence[tuple[int, int]], common: Collection[str]
) -> int:
    """Return how many words without names two stretches share; 0 if they are not alike enough."""
    longest = max(pairs[-1][0] - pairs[0][0], pairs[-1][1] - pairs[0][1]) + 1
    if len(pairs) < LEAST_SHARE * longest:
        return 0
    shared = [here[place] for place, _ in pairs]
    unnamed = [word.text for word in shared if not _is_name(text, word)]
    content = [word for word in unnamed if word not in common]
    return len(unnamed) if len(content) >= LEAST_CONTENT else 0


def _stretches(here: Sequence[Word], there: Sequence[Word]) -> Iterator[list[tuple[int, int]]]:
    """Yield runs of shared words, as pairs of places, in which shared words outweigh the gaps."""
    shared = _in_order(here, there)
    if not shared:
        return
    gains = [0.0] + [1 - _GAP * _between(last, pair) for last, pair in pairwise(shared)]
    start, sum_here, best, end = 0, 1.0, 1.0, 1
    for at in range(1, len(shared)):
        sum_here += gains[at]
        if sum_here <= 1.0:
            yield shared[start:end]
            start, sum_here, best, end = at, 1.0, 1.0, at + 1
        elif sum_here > best:
            best, end = sum_here, at + 1
    yield shared[start:end]


def _between(last: tuple[int, int], pair: tuple[int, int]) -> int:
    """Return how many words lie between two shared ones, in the text that has more of them."""
    return max(pair[0] - last[0], pair[1] - last[1]) - 1


def _in_order(here: Sequence[Word], there: Sequence[Word]) -> list[tuple[int, int]]:
    """Return the places of the words of a longest common subsequence."""
    codes = LCSseq.opcodes([word.text for word in here], [word.text for word in there])
    equal = [code for code in codes if code.tag == "equal"]
    return [
        (code.src_start + step, code.dest_start + step)
        for code in equal
        for step in range(code.src_end - code.src_start)
    ]


def _is_name(text: str, word: Word) -> bool:
    """Return True if a word has a capital where no sentence begins."""
    before = text[: word.start].rstrip(" \"'(\u201c\u2018")
    return text[word.start].isupper() and bool(before) and before[-1] not in ".!?:\u2026"


def _as_written(
    text: str,
    here: Sequence[Word],
    other: str,
    there: Sequence[Word],
    pairs: Sequence[tuple[int, int]],
) -> tuple[str, str]:
    """Return a stretch as it stands in either text."""
    (first_here, first_there), (last_here, last_there) = pairs[0], pairs[-1]
    return (
        text[here[first_here].start : here[last_here].end],
        other[there[first_there].start : there[last_there].end],
    )
