"""Text taken over from another one with a word changed here and there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from rapidfuzz.distance import LCSseq

from tasks.word_runs.words import Word, words_of

LEAST_CONTENT: Final = 2
"""Shared words that say something: neither names nor the commonest words of the language."""
LEAST_SHARE: Final = 0.8
"""Share of the stretch, in either text, that the shared words are."""
LEAST_SENTENCE: Final = 6
"""Shared words that make a near-copy of a whole sentence, though it has fewer than asked for."""
LEAST_OF_SENTENCE: Final = 0.75
"""Share of that sentence that the shared words are."""
_SENTENCE_END: Final = re.compile(r"[.!?\u2026]")
_CONTRACTED: Final = re.compile("(?<=.)(?:n't|'(?:s|re|ve|ll|d|m))$")
_SAME: Final = {
    form: forms.split()[0]
    for forms in (
        "i you he she we they one",
        "me him us them",
        "my your his her our their",
        "mine yours hers ours theirs",
        "myself yourself himself herself ourselves themselves",
        "be is are was were am been",
        "have has had",
        "do does did",
        "this that",
        "these those",
    )
    for form in forms.split()
}
_GAP: Final = 1.2  # what a word between two shared ones costs; a shared word gains 1


class NearCopy(NamedTuple):
    """A stretch taken over nearly word for word.

    Attributes:
        words: the words that both texts have, in order.
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

    That is: `least` words and more, names left out, are the same and in the same order; or
    `LEAST_SENTENCE` words are, and are most of a sentence. At most a fifth of the stretch differs,
    and `LEAST_CONTENT` of the words are neither names nor common. So a retelling that keeps names
    and phrases is none.

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
            words, _ = _taken_over(text, here, pairs, common)
            if words >= max(least, best.words + 1):
                best = NearCopy(words, *_as_written(text, here, other, there, pairs))
        for sentence in _sentences(other, there):
            for pairs in _stretches(here, sentence):
                if len(pairs) < LEAST_OF_SENTENCE * len(sentence):
                    continue
                _, words = _taken_over(text, here, pairs, common)
                if words >= max(LEAST_SENTENCE, best.words + 1):
                    best = NearCopy(words, *_as_written(text, here, other, sentence, pairs))
    return best


def _sentences(text: str, words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Yield the words of each sentence of a text that is long enough to be a near-copy's source."""
    start = 0
    for at in range(1, len(words) + 1):
        ends = at == len(words) or _SENTENCE_END.search(text, words[at - 1].end, words[at].start)
        if ends:
            if at - start >= LEAST_SENTENCE:
                yield words[start:at]
            start = at


def _taken_over(
    text: str, here: Sequence[Word], pairs: Sequence[tuple[int, int]], common: Collection[str]
) -> tuple[int, int]:
    """Return how many words two stretches share, without names and with them.

    Both are 0 if the stretches are not alike enough, or have little in common but common words.
    """
    longest = max(pairs[-1][0] - pairs[0][0], pairs[-1][1] - pairs[0][1]) + 1
    if len(pairs) < LEAST_SHARE * longest:
        return 0, 0
    shared = [here[place] for place, _ in pairs]
    unnamed = [word.text for word in shared if not _is_name(text, word)]
    content = [word for word in unnamed if word not in common]
    return (len(unnamed), len(shared)) if len(content) >= LEAST_CONTENT else (0, 0)


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


@lru_cache(maxsize=16_384)
def _form(word: str) -> str:
    """Return what a word is compared by: another person or tense of "to be" changes nothing."""
    bare = _CONTRACTED.sub("", word)
    return _SAME.get(bare, bare)


def _in_order(here: Sequence[Word], there: Sequence[Word]) -> list[tuple[int, int]]:
    """Return the places of the words of a longest common subsequence."""
    codes = LCSseq.opcodes(
        [_form(word.text) for word in here], [_form(word.text) for word in there]
    )
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
