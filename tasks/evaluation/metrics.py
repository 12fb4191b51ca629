"""Recall, NDCG and MRR at K for one target a question, with clustered intervals.

Intervals resample users, because one user asks more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tasks.intervals import Interval, bootstrap_mean

Metric = Literal["recall", "ndcg", "mrr"]
METRICS: tuple[Metric, ...] = get_args(Metric)
KS = (5, 10, 50)
Scores = npt.NDArray[np.float64]


def rank(ranking: Sequence[str], target: str) -> int | None:
    """Return the target's place in a ranking, from 1; None where it is missing."""
    return ranking.index(target) + 1 if target in ranking else None


def scores(ranks: Sequence[int | None], metric: Metric, k: int) -> Scores:
    """Return each question's score from its target's rank.

    With a single target, Recall@K is 1 within the first K places, NDCG@K is 1 / log2(rank + 1)
    there, MRR@K is 1 / rank; else 0.
    """
    places = np.array(
        [np.inf if place is None or place > k else place for place in ranks], dtype=np.float64
    )
    if metric == "recall":
        return np.isfinite(places).astype(np.float64)
    gains: Scores = 1 / np.log2(places + 1) if metric == "ndcg" else 1 / places
    return gains


def chance(candidates: Sequence[int], metric: Metric, k: int) -> Scores:
    """Return the mean score of random rankings of each question's candidates; 0 without any."""
    places = np.arange(1, k + 1)
    gains = {"recall": np.ones(k), "ndcg": 1 / np.log2(places + 1), "mrr": 1 / places}[metric]
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    counts = np.array(candidates)
    expected: Scores = sums[np.minimum(counts, k)] / np.maximum(counts, 1)
    return expected


def detectable(share: float, questions: int) -> float:
    """Return the least difference of two shares that so many questions show.

    With 80 % power, at the 5 % level, for two recommenders whose hits are independent and near
    `share`: (1.96 + 0.84) sqrt(2 share (1 - share) / questions).
    """
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    return float(quantiles * np.sqrt(2 * share * (1 - share) / questions))


def difference(
    first: Scores, second: Scores, clusters: Sequence[str], *, seed: int = 0
) -> Interval:
    """Return the mean of `first - second` per question with its 95 % paired bootstrap interval."""
    return bootstrap_mean(first - second, clusters, seed=seed)
