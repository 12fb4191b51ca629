"""Many texts at once, as arrays of word hashes: their longest shared runs, and their shingles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.languages import spaced_column
from tasks.word_runs.words import BREAKS, MARKS

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_FLAGS: Final = 24  # bits of a hash that index the first sieve
_REPLACED: Final = {**dict.fromkeys(BREAKS, " "), "\u2019": "'"}
_SEED: Final = 17
_SEEDS: Final = 4
_SPAN: Final = 14  # words
_LONGER_SEEDS: Final = 2
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_FINISH: Final = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Tokens:
    """Words of many texts in one array: those of text i are `hashes[starts[i]:starts[i + 1]]`."""

    hashes: Hashes
    starts: Places


@dataclass(frozen=True)
class OwnedTokens:
    """Words of texts, each of which belongs to a dialogue: text i to `owners[i]`, any numbering."""

    tokens: Tokens
    owners: NDArray[np.int64]

    @classmethod
    def of(cls, texts: pl.Series, owners: NDArray[np.int64]) -> OwnedTokens:
        """Return the words of some texts."""
        return cls(tokenise(texts), owners)

    def only(self, chosen: NDArray[np.bool_]) -> OwnedTokens:
        """Return some of the words, each as a text of its own."""
        hashes = self.tokens.hashes[chosen]
        owners = self.owner_of_each_word()[chosen]
        return OwnedTokens(Tokens(hashes, np.arange(len(hashes) + 1)), owners)

    def owner_of_each_word(self) -> NDArray[np.int64]:
        """Return the dialogue of each word."""
        return np.repeat(self.owners, np.diff(self.tokens.starts))


def tokenise(texts: pl.Series) -> Tokens:
    """Split texts into the words that `words_of` finds."""
    split = spaced_column(texts).str.replace_many(_REPLACED).str.to_lowercase().str.split(" ")
    bare = split.explode().str.strip_chars(MARKS)
    kept = (bare != "").fill_null(False).to_numpy()
    until = np.concatenate([[0], np.cumsum(split.list.len().to_numpy(), dtype=np.int64)])
    before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return Tokens(bare.hash(_SEED).to_numpy()[kept], before[until])


def runs(tokens: Tokens, length: int) -> tuple[Hashes, Places, Places]:
    """Return a hash of every run of `length` words.

    Returns:
        The hashes, the text of each run, and the index of its first word in `tokens.hashes`.
    """
    counts = np.maximum(np.diff(tokens.starts) - length + 1, 0)
    if not counts.any():
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    texts = np.repeat(np.arange(len(counts)), counts)
    places = np.arange(len(texts)) + np.repeat(
        tokens.starts[:-1] - np.cumsum(counts) + counts, counts
    )
    mixed = _mixed(tokens.hashes, length)[places]
    mixed ^= mixed >> np.uint64(31)
    return mixed * _FINISH, texts, places


def _mixed(hashes: Hashes, length: int) -> Hashes:
    """Return a hash over every `length` neighbours, from those over half as many."""
    if length == 1:
        return hashes
    half = length // 2
    near = _mixed(hashes, half)
    factor = np.uint64(pow(int(_MULTIPLIER), length - half, 1 << 64))
    far = near if half == length - half else _mixed(hashes, length - half)
    return near[: len(hashes) - length + 1] * factor + far[half:]


def scramble(values: Hashes, salt: int) -> Hashes:
    """Return another well-mixed hash of each hash."""
    mixed = (values ^ np.uint64((salt * 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF)) * _FINISH
    return mixed ^ (mixed >> np.uint64(29))


def copied_words(said: OwnedTokens, reviews: OwnedTokens, least: int) -> NDArray[np.int32]:
    """Return the length of the longest run of each utterance that is in a review of its brief.

    Every `least` words in a row of such a run are in a row in one of the reviews; shorter runs
    count 0. Time and memory grow with the number of words; nothing is compared pairwise.

    Args:
        said: the words of the utterances.
        reviews: those of the reviews, with dialogues in the same numbering.
        least: shortest run that counts, in words.
    """
    longest = np.zeros(len(said.owners), np.int32)
    texts, starts = _shared(said, reviews, least)
    if len(texts):
        _join_hits(longest, texts, starts, least)
    return longest


def near_copying(said: OwnedTokens, reviews: OwnedTokens) -> NDArray[np.bool_]:
    """Return which utterances may hold a near-copy of a review of their brief.

    Nine shared words with two others between them are twice three in a row, and within their span
    four times two in a row.
    """
    texts, starts = _shared(said, reviews, 2)
    maybe = np.zeros(len(said.owners), bool)
    first, last = slice(None, 1 - _SEEDS), slice(_SEEDS - 1, None)
    is_close = starts[last] - starts[first] <= _SPAN
    maybe[texts[first][is_close & (texts[first] == texts[last])]] = True
    in_a_row, _ = _shared(said, reviews, 3)
    return maybe & (np.bincount(in_a_row, minlength=len(said.owners)) >= _LONGER_SEEDS)


def are_known(words: OwnedTokens, texts: OwnedTokens) -> NDArray[np.bool_]:
    """Return for each word of `words` whether it is in a text of the same dialogue."""
    wanted = words.tokens.hashes ^ _keys(words.owner_of_each_word())
    found = np.zeros(len(wanted), bool)
    known = texts.tokens.hashes ^ _keys(texts.owner_of_each_word())
    found[_indices_of(wanted, known)] = True
    return found


def _shared(
    said: OwnedTokens, reviews: OwnedTokens, length: int
) -> tuple[NDArray[np.int64], Places]:
    """Return the utterance and the first word of each run that is in a review of its brief."""
    review_hashes, review, _ = runs(reviews.tokens, length)
    said_hashes, utterance, start = runs(said.tokens, length)
    # Combined with a key of the dialogue, so that only reviews of its own brief match.
    wanted = said_hashes ^ _keys(said.owners)[utterance]
    known = review_hashes ^ _keys(reviews.owners)[review]
    hits = _indices_of(wanted, known)
    return utterance[hits], start[hits]


def _keys(owners: NDArray[np.int64]) -> Hashes:
    return scramble(owners.astype(np.uint64), 3)


def _indices_of(wanted: Hashes, known: Hashes) -> NDArray[np.int64]:
    """Return the indices of the hashes that are among the known, after a sieve on top bits."""
    shift = np.uint64(64 - _FLAGS)
    flags = np.zeros(1 << _FLAGS, bool)
    flags[known >> shift] = True
    maybe = np.flatnonzero(flags[wanted >> shift])
    flags[:] = False
    flags[wanted[maybe] >> shift] = True
    return maybe[np.isin(wanted[maybe], known[flags[known >> shift]])]


def _join_hits(
    longest: NDArray[np.int32], texts: NDArray[np.int64], starts: NDArray[np.int64], least: int
) -> None:
    """Join hits one word apart to longer runs and store the longest of each text."""
    breaks = np.flatnonzero((np.diff(starts) != 1) | (np.diff(texts) != 0)) + 1
    edges = np.concatenate([[0], breaks, [len(starts)]])
    lengths = (np.diff(edges) + least - 1).astype(np.int32)
    np.maximum.at(longest, texts[edges[:-1]], lengths)
