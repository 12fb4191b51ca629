"""Texts as arrays of word hashes, the common ground of the copying and the near-duplicate checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_MARKS: Final = ".,!?;:\"'()[]{}<>*_~`-\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d\u2026/\\|"
_SEED: Final = 17
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_FINISH: Final = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Tokens:
    """Words of many texts in one array: text i owns `hashes[starts[i]:starts[i + 1]]`."""

    hashes: Hashes
    starts: Places


def tokenise(texts: pl.Series) -> Tokens:
    """Split texts at spaces into words without letter case and outer punctuation, any apostrophe the same; punctuation alone is no word."""
    split = texts.str.to_lowercase().str.replace_all("\u2019", "'", literal=True).str.split(" ")
    bare = split.explode().str.strip_chars(_MARKS)
    kept = (bare != "").fill_null(False).to_numpy()
    until = np.concatenate([[0], np.cumsum(split.list.len().to_numpy(), dtype=np.int64)])
    before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return Tokens(bare.hash(_SEED).to_numpy()[kept], before[until])


def runs(tokens: Tokens, length: int) -> tuple[Hashes, Places, Places]:
    """Return a hash of every run of so many words.

    Returns:
        The hashes, the text each run lies in, and the place of its first word in `tokens.hashes`.
    """
    counts = np.maximum(np.diff(tokens.starts) - length + 1, 0)
    if not counts.any():
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    texts = np.repeat(np.arange(len(counts)), counts)
    places = np.arange(len(texts)) + np.repeat(tokens.starts[:-1] - np.cumsum(counts) + counts, counts)
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
