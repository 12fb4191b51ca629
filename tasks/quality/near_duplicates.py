"""Finds dialogues that say nearly the same.

Candidates come from MinHash over sampled three-word shingles and are checked exactly. A library's
MinHash in Python takes about a millisecond a dialogue; the same in numpy takes a
fiftieth of that, which keeps the gate over 100,000 dialogues within its seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tasks.word_runs import Hashes, Places, Tokens, runs, scramble

WORDS: Final = 3  # of a shingle
# One shingle in so many is kept, chosen by its hash: the same ones in every dialogue.
SAMPLED: Final = 2
# With 8 bands of 4 rows, pairs alike by 0.8 become candidates with 98.6 %, by 0.9 with 99.99 %.
BANDS: Final = 8
ROWS: Final = 4


@dataclass(frozen=True)
class Shingles:
    """Sampled shingles of many dialogues.

    Those of dialogue i are `hashes[starts[i]:starts[i + 1]]`, sorted, each once.
    """

    hashes: NDArray[np.uint32]
    starts: Places


def shingles(utterances: Tokens, owners: NDArray[np.int64], dialogues: int) -> Shingles:
    """Return the sampled shingles of each dialogue; none spans two utterances.

    Args:
        utterances: their words.
        owners: the dialogue of each utterance, 0 to `dialogues` - 1.
        dialogues: how many there are.
    """
    found, utterance, _ = runs(utterances, WORDS)
    kept = found % np.uint64(SAMPLED) == 0
    owner = owners[utterance[kept]]
    found = (found[kept] >> np.uint64(32)).astype(np.uint32)
    order = np.lexsort((found, owner))
    found, owner = found[order], owner[order]
    first = np.ones(len(found), bool)
    first[1:] = (found[1:] != found[:-1]) | (owner[1:] != owner[:-1])
    found, owner = found[first], owner[first]
    return Shingles(found, np.searchsorted(owner, np.arange(dialogues + 1)))


def join(parts: list[Shingles]) -> Shingles:
    """Return the shingles of several chunks as those of one, in the order given."""
    # The empty arrays give the types, also if there is no part.
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.starts) for part in parts)])
    hashes = np.concatenate([np.empty(0, np.uint32), *(part.hashes for part in parts)])
    return Shingles(hashes, np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]))


def near_duplicates(made: Shingles, least: float) -> dict[int, int]:
    """Return for each near-duplicate dialogue an earlier one that says nearly the same.

    That is: the Jaccard similarity of their sampled shingles is `least` (0 to 1) or more. Each
    candidate is only compared with the first dialogue of its band's bucket, so that time stays
    linear however many are alike. Dialogues without a shingle are like no other.
    """
    filled = np.flatnonzero(np.diff(made.starts) > 0)
    if len(filled) < 2:
        return {}
    buckets = _bands(made, filled)
    found: dict[int, int] = {}
    for band in buckets:
        order = np.argsort(band, kind="stable")
        first = np.concatenate([[True], band[order][1:] != band[order][:-1]])
        leader = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
        later, earlier = filled[order[~first]].tolist(), filled[leader[~first]].tolist()
        for place, head in zip(later, earlier, strict=True):
            if place not in found and _alike(made, place, head, least):
                found[place] = head
    return found


def _bands(made: Shingles, filled: Places) -> list[Hashes]:
    """Return one hash per band for each filled dialogue.

    It combines the dialogue's smallest shingles under each of the band's orders.
    """
    starts = made.starts[filled]
    bands = []
    for band in range(BANDS):
        together = np.zeros(len(filled), np.uint64)
        for row in range(ROWS):
            smallest = np.minimum.reduceat(_reordered(made.hashes, band * ROWS + row), starts)
            together = scramble(together, 7) ^ smallest
        bands.append(together)
    return bands


def _reordered(values: NDArray[np.uint32], order: int) -> NDArray[np.uint32]:
    """Return the values under one of many one-to-one mappings, which changes their order."""
    draw = random.Random(order)
    return (values ^ np.uint32(draw.getrandbits(32))) * np.uint32(draw.getrandbits(32) | 1)


def _alike(made: Shingles, one: int, other: int, least: float) -> bool:
    mine, theirs = _hashes_of(made, one), _hashes_of(made, other)
    if min(len(mine), len(theirs)) < least * max(len(mine), len(theirs)):
        return False
    shared = len(np.intersect1d(mine, theirs, assume_unique=True))
    return shared >= least * (len(mine) + len(theirs) - shared)


def _hashes_of(made: Shingles, dialogue: int) -> NDArray[np.uint32]:
    return made.hashes[made.starts[dialogue] : made.starts[dialogue + 1]]
