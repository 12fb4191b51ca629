"""Recall, NDCG and MRR at K for one target a question, with clustered intervals.

Intervals resample users, because one user asks more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tasks.fingerprint import unit

Metric = Literal["recall", "ndcg", "mrr"]
METRICS: tuple[Metric, ...] = get_args(Metric)
KS = (5, 10, 50)
RESAMPLES = 1000
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over questions with its 95 % interval."""

    mean: float
    low: float
    high: float


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


def estimate(
    values: Scores, clusters: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """Return the mean with its 95 % percentile interval.

    Whole clusters (users) are drawn with replacement, as often as there are clusters: the questions
    of one user are no independent witnesses.
    """
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"))
    sums, counts = _by_cluster(values, clusters)
    drawn = np.random.default_rng(int(unit(seed, "bootstrap") * 2**53))
    means = np.empty(resamples)
    for start in range(0, resamples, 100):
        rows = min(100, resamples - start)
        weights = drawn.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=rows)
        means[start : start + rows] = (weights @ sums) / (weights @ counts)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def difference(
    first: Scores, second: Scores, clusters: Sequence[str], *, seed: int = 0
) -> Estimate:
    """Return the mean of `first - second` per question with its 95 % paired bootstrap interval."""
    return estimate(first - second, clusters, seed=seed)


def _by_cluster(values: Scores, clusters: Sequence[str]) -> tuple[Scores, Scores]:
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    places = np.array([numbers[cluster] for cluster in clusters])
    return np.bincount(places, weights=values).astype(np.float64), np.bincount(places).astype(
        np.float64
    )
