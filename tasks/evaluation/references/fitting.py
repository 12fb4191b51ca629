"""Fits a reference recommender and ranks the catalogue with it, every tie settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

import numpy as np

from tasks.errors import UserError
from tasks.evaluation.references.catalogue import Knowledge, Score
from tasks.evaluation.references.dense import dense
from tasks.evaluation.references.recommenders import bm25, item_knn, markov
from tasks.evaluation.samples import Sample
from tasks.fingerprint import unit
from tasks.semantic import check_semantic

Reference = Literal["random", "popularity", "itemknn", "bm25", "markov", "dense"]
REFERENCES: tuple[Reference, ...] = get_args(Reference)


class Recommender(Protocol):
    """Ranks the catalogue for each question."""

    def rank(self, samples: Sequence[Sample], k: int) -> list[tuple[str, ...]]:
        """Return the best K items of each sample, without its history and named items."""
        ...


def fit_reference(name: str, known: Knowledge, *, seed: int = 0) -> Recommender:
    """Return a fitted reference recommender.

    Raises:
        UserError: an unknown name, or knowledge or an extra it cannot do without is missing.
    """
    check_reference(name, known)
    if name == "random":
        return _Scored(known, _random(known, seed))
    if name == "bm25":
        return _Scored(known, bm25(known))
    if name == "dense":
        return _Scored(known, dense(known))
    if name == "markov":
        return _Scored(known, markov(known))
    return _Scored(known, _popular(known) if name == "popularity" else item_knn(known))


def check_reference(name: str, known: Knowledge) -> None:
    """Raise UserError when a reference recommender is unknown, or lacks what it ranks by."""
    if name not in REFERENCES:
        raise UserError(
            f"unknown reference recommender {name!r}: known are {', '.join(REFERENCES)}"
        )
    if name == "dense":
        check_semantic()
    if name == "bm25" and not any(known.reviews.values()):
        raise UserError(
            "bm25 ranks items by what was written of them, and there is nothing to learn from: "
            "leave bm25 out"
        )
    if name in {"popularity", "itemknn", "markov"} and not known.interactions:
        raise UserError(
            f"{name} ranks items by users' histories, and there are none to learn from: leave "
            f"{name} out"
        )
    if name == "markov" and all(made.timestamp is None for made in known.interactions):
        raise UserError(
            "markov goes by the order of ratings, and this corpus tells no times: leave markov out"
        )


class _Scored:
    """Ranks by a score; ties go to the more popular item, then to the smaller id."""

    def __init__(self, known: Knowledge, score: Score) -> None:
        self._items = known.items
        self._place = {item: place for place, item in enumerate(self._items)}
        popular = known.popularity()
        self._popular = np.array([popular.get(item, 0) for item in self._items])
        self._score = score

    def rank(self, samples: Sequence[Sample], k: int) -> list[tuple[str, ...]]:
        """Return the best K items of each sample."""
        return [self._one(sample, k) for sample in samples]

    def _one(self, sample: Sample, k: int) -> tuple[str, ...]:
        score = self._score(sample)
        known = [
            self._place[item]
            for item in {*sample.history, *sample.mentioned}
            if item in self._place
        ]
        score[known] = -np.inf
        k = min(k, len(score))
        if k < 1:
            return ()
        floor = np.partition(score, len(score) - k)[len(score) - k]
        near = np.flatnonzero((score >= floor) & np.isfinite(score))
        order = np.lexsort((near, -self._popular[near], -score[near]))[:k]
        return tuple(self._items[place] for place in near[order].tolist())


def _random(known: Knowledge, seed: int) -> Score:
    size = len(known.items)
    return lambda sample: np.random.default_rng(
        int(unit(seed, "random", sample.sample_id) * 2**53)
    ).random(size)


def _popular(known: Knowledge) -> Score:
    popular = known.popularity()
    scores = np.array([popular.get(item, 0) for item in known.items], dtype=np.float64)
    return lambda sample: scores.copy()
