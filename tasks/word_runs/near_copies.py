"""Text taken over from another one with a word changed here and there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import Final, NamedTuple

from tasks.word_runs.words import Word, words_of

Pairs = Sequence[tuple[int, int]]

LEAST_CONTENT: Final = 2
"""Shared words that say something: neither names nor the commonest words of the language."""
LEAST_SHARE: Final = 0.8
"""Share of the stretch, in either text, that the shared words are."""
LEAST_SENTENCE: Final = 6
"""Shared words that make a near-copy of a whole sentence, though it has fewer than asked for."""
LEAST_OF_SENTENCE: Final = 0.75
"""Share of that sentence that the shared words are."""
_SENTENCE_END: Final = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]")
_CONTRACTED: Final = re.compile("(?<=.)(?:n't|'(?:s|re|ve|ll|d|m))$")
_SAME: Final = {
    form: forms.split()[0]
    for forms in (
        "i you he she we they one",
        "me him us them",
        "my your his her our their",
        "mine yours hers ours theirs",
        "be is are was were am been",
        "have has had",
        "do does did",
        "this that",
        "these those",
    )
    for form in forms.split()
}
_FARTHEST: Final = 3
_SEEDS: Final = 4  # pairs of neighbours that nine words with two changes have in common
_LEAST_SCORE: Final = 3.0  # of six shared words with two gaps of one word
_GAP: Final = 1.2  # what a word between two shared ones costs; a shared word gains 1
_BRIDGES: Final = tuple(
    (here, there, _GAP * (max(here, there) - 1))
    for here, there in product(range(1, _FARTHEST + 2), repeat=2)
)


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
    forms = _pairs_of_forms(text)
    best = NONE
    for other in others:
        if len(forms & _pairs_of_forms(other)) < _SEEDS:
            continue
        there = words_of(other)
        for pairs in _stretches(here, there):
            words, _ = _taken_over(text, here, pairs, common)
            if words >= max(least, best.words + 1):
                best = NearCopy(words, *_as_written(text, here, other, there, pairs))
            for part in _sentences_copied(other, pairs):
                _, words = _taken_over(text, here, part, common)
                if words >= max(LEAST_SENTENCE, best.words + 1):
                    best = NearCopy(words, *_as_written(text, here, other, there, part))
    return best


def _sentences_copied(other: str, pairs: Pairs) -> Iterator[Pairs]:
    """Yield the parts of a stretch that are most of a sentence of the text copied from."""
    for begin, end in _sentences(other):
        part = [pair for pair in pairs if begin <= pair[1] < end]
        if len(part) >= max(LEAST_SENTENCE, LEAST_OF_SENTENCE * (end - begin)):
            yield part


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Return the first word of each sentence of a text, and the first one after it."""
    words = words_of(text)
    ends = [
        at + 1
        for at, (word, following) in enumerate(pairwise(words))
        if _SENTENCE_END.search(text, word.end, following.start)
    ]
    return tuple(pairwise([0, *ends, len(words)]))


@lru_cache(maxsize=4096)
def _pairs_of_forms(text: str) -> frozenset[tuple[str, str]]:
    """Return every two words in a row of a text."""
    return frozenset(pairwise(_form(word.text) for word in words_of(text)))


def _taken_over(
    text: str, here: Sequence[Word], pairs: Pairs, common: Collection[str]
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


def _stretches(here: Sequence[Word], there: Sequence[Word]) -> Iterator[Pairs]:
    """Yield stretches that two texts share, as pairs of places: the best one that ends in each.

    A shared word gains 1, each word between two of them costs `_GAP`; up to `_FARTHEST` words are
    bridged. No stretch is part of a longer one.
    """
    scores: dict[tuple[int, int], float] = {}
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for pair in _shared(here, there):
        score, last = _best_before(pair, scores)
        scores[pair], before[pair] = 1 + max(score, 0), last if score > 0 else None
    bridged = {last for last in before.values() if last is not None}
    for end, score in scores.items():
        if score >= _LEAST_SCORE and end not in bridged:
            yield _traced(end, before)


def _best_before(
    pair: tuple[int, int], scores: Mapping[tuple[int, int], float]
) -> tuple[float, tuple[int, int] | None]:
    """Return the best score to go on from, less the gap, and the pair that has it."""
    here, there = pair
    neighbour = (here - 1, there - 1)
    if neighbour in scores:
        # Nothing is bridged; hardly ever is a stretch further back worth more.
        return scores[neighbour], neighbour
    best, last = 0.0, None
    for back_here, back_there, cost in _BRIDGES:
        score = scores.get((here - back_here, there - back_there), 0.0) - cost
        if score > best:
            best, last = score, (here - back_here, there - back_there)
    return best, last


def _traced(
    end: tuple[int, int], before: Mapping[tuple[int, int], tuple[int, int] | None]
) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    at: tuple[int, int] | None = end
    while at is not None:
        pairs.append(at)
        at = before[at]
    return pairs[::-1]


def _shared(here: Sequence[Word], there: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yield the places of each word that both texts have, in the order of the first text."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(there):
        places.setdefault(_form(word.text), []).append(place)
    for place, word in enumerate(here):
        for other in places.get(_form(word.text), ()):
            yield place, other


@lru_cache(maxsize=16_384)
def _form(word: str) -> str:
    """Return what a word is compared by: another person or tense of "to be" changes nothing."""
    bare = _CONTRACTED.sub("", word)
    return _SAME.get(bare, bare)


def _is_name(text: str, word: Word) -> bool:
    """Return True if a word has a capital where no sentence begins."""
    before = text[: word.start].rstrip(" \"'(\u201c\u2018")
    return text[word.start].isupper() and bool(before) and before[-1] not in ".!?:\u2026"


def _as_written(
    text: str,
    here: Sequence[Word],
    other: str,
    there: Sequence[Word],
    pairs: Pairs,
) -> tuple[str, str]:
    """Return a stretch as it stands in either text."""
    (first_here, first_there), (last_here, last_there) = pairs[0], pairs[-1]
    return (
        text[here[first_here].start : here[last_here].end],
        other[there[first_there].start : there[last_there].end],
    )
