"""The longest run of words that two texts share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tasks.word_runs.words import texts_of, words_of


class Run(NamedTuple):
    """Words in a row that two texts share: their number, and where they begin in each."""

    length: int
    here: int
    there: int


class SharedRuns:
    """Finds the runs that texts share with one text."""

    def __init__(self, there: Sequence[str]) -> None:
        """Take the words of the one text."""
        self._there = there
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(there):
            self._places.setdefault(word, []).append(place)

    def longest_from(self, here: Sequence[str], begin: int) -> Run:
        """Return the longest run from a word of another text on; of equal ones the first there."""
        best = Run(0, begin, 0)
        for place in self._places.get(here[begin], ()):
            length = self._length(here, begin, place)
            if length > best.length:
                best = Run(length, begin, place)
        return best

    def longest(self, here: Sequence[str]) -> Run:
        """Return the longest run shared with another text; of equal ones the first."""
        best = Run(0, 0, 0)
        for begin in range(len(here)):
            run = self.longest_from(here, begin)
            if run.length > best.length:
                best = run
        return best

    def _length(self, here: Sequence[str], begin: int, place: int) -> int:
        length = 0
        for one, other in zip(here[begin:], self._there[place:], strict=False):
            if one != other:
                break
            length += 1
        return length


def longest_shared(text: str, others: Sequence[str]) -> str:
    """Return the longest run of words of a text that is in one of the others, as in the text."""
    words = words_of(text)
    here = [word.text for word in words]
    best = Run(0, 0, 0)
    for other in others:
        run = SharedRuns([word.text for word in words_of(other)]).longest(here)
        if run.length > best.length:
            best = run
    if not best.length:
        return ""
    return text[words[best.here].start : words[best.here + best.length - 1].end]


def shares_run(text: str, other: str, length: int) -> bool:
    """Return True if `length` words in a row are the same in two texts."""
    words = texts_of(text)
    known = _joined(other)
    runs = (words[at : at + length] for at in range(len(words) - length + 1))
    return any(f" {' '.join(run)} " in known for run in runs)


@lru_cache(maxsize=8192)
def _joined(text: str) -> str:
    return f" {' '.join(texts_of(text))} "
