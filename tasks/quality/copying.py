"""How many words in a row an utterance takes over from its brief's reviews."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.quality.tokens import Hashes, Tokens, runs, scramble, tokenise

_FLAGS: Final = 24  # bits of a hash that index the first sieve


def copied_words(utterances: Tokens, owners: NDArray[np.int64], reviews: pl.DataFrame, least: int) -> NDArray[np.int32]:
    """Return for each utterance the longest run of words it shares with a review of its own brief; runs under `least` words count 0.

    A run is one of which every `least` neighbours stand in a row in one of the reviews.

    Args:
        utterances: their words.
        owners: the dialogue of each utterance, any numbering.
        reviews: columns `place` (the dialogue, in the same numbering) and `text`.
        least: shortest run that counts, in words.

    Time and memory grow with the number of words; nothing is compared pairwise.
    """
    longest = np.zeros(len(utterances.starts) - 1, np.int32)
    if not len(reviews):
        return longest
    source, review, _ = runs(tokenise(reviews["text"]), least)
    said, utterance, start = runs(utterances, least)
    hits = _found(said ^ _keys(owners)[utterance], source ^ _keys(reviews["place"].to_numpy())[review])
    if len(hits):
        _stretch(longest, utterance[hits], start[hits], least)
    return longest


def _keys(owners: NDArray[np.int64]) -> Hashes:
    """Return what ties a text's runs to its dialogue, so that only the brief's own reviews are ever compared with."""
    return scramble(owners.astype(np.uint64), 3)


def _found(wanted: Hashes, known: Hashes) -> NDArray[np.int64]:
    """Return the places of hashes that are among the known: a sieve over their top bits first, then exactly."""
    shift = np.uint64(64 - _FLAGS)
    flags = np.zeros(1 << _FLAGS, bool)
    flags[known >> shift] = True
    maybe = np.flatnonzero(flags[wanted >> shift])
    flags[:] = False
    flags[wanted[maybe] >> shift] = True
    return maybe[np.isin(wanted[maybe], known[flags[known >> shift]])]


def _stretch(longest: NDArray[np.int32], texts: NDArray[np.int64], starts: NDArray[np.int64], least: int) -> None:
    """Join hits one word apart to longer runs and keep each text's longest."""
    breaks = np.flatnonzero((np.diff(starts) != 1) | (np.diff(texts) != 0)) + 1
    edges = np.concatenate([[0], breaks, [len(starts)]])
    lengths = (np.diff(edges) + least - 1).astype(np.int32)
    np.maximum.at(longest, texts[edges[:-1]], lengths)
