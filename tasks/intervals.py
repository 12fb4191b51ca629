"""Confidence intervals of shares, means and totals, and of their differences.

A share has Wilson's score interval, or exact limits (Clopper and Pearson) where the level is so
high that an approximation does not hold. The difference of two independent shares or means has
Newcombe's interval (square and add, method 10 of Statistics in Medicine 17, 1998, 873-890), and
that of two shares over the same pairs his interval for paired data, with the continuity correction
of the correlation (method 10 of the same volume, 2635-2650). Means are bootstrapped over clusters.
The total of a sample without replacement has a normal interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Any, Final

from tasks.fingerprint import unit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

Z_95: Final = NormalDist().inv_cdf(0.975)  # half width of a 95 % interval, in standard errors
RESAMPLES: Final = 1000  # of a bootstrap
_RESAMPLES_AT_ONCE: Final = 100  # bounds the memory that drawn weights take


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float, spread: float = 0.0) -> Interval:
        """Return the interval scaled by a factor whose relative standard error is `spread`.

        No limit is below 0.
        """
        half = math.hypot(Z_95 * spread * self.value, (self.high - self.low) / 2)
        return Interval(
            self.value * factor,
            max(0.0, (self.value - half) * factor),
            (self.value + half) * factor,
        )


@dataclass(frozen=True)
class PairedCounts:
    """How often both of a pair hold, the first alone, the second alone, and neither."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self.both + self.first + self.second + self.neither


def wilson(count: int, total: int) -> Interval:
    """Return the share `count / total` with Wilson's 95 % interval.

    Raises ValueError unless 0 <= count <= total and total > 0.
    """
    _check_share(count, total)
    share = count / total
    square = Z_95 * Z_95
    variance = share * (1 - share) / total + square / (4 * total * total)
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = Z_95 * math.sqrt(variance) / (1 + square / total)
    low = max(0.0, centre - half)
    high = min(1.0, centre + half)
    return Interval(share, min(share, low), max(share, high))


def exact_share(count: int, total: int, alpha: float) -> Interval:
    """Return the share `count / total` with the limits of Clopper and Pearson.

    `alpha` is the probability that they miss. Raises ValueError unless 0 <= count <= total and
    total > 0.
    """
    from scipy.special import betaincinv  # a second to import, which every build would pay

    _check_share(count, total)
    low, high = 0.0, 1.0
    if count > 0:
        low = float(betaincinv(count, total - count + 1, alpha / 2))
    if count < total:
        high = float(betaincinv(count + 1, total - count, 1 - alpha / 2))
    return Interval(count / total, low, high)


def independent_difference(first: Interval, second: Interval) -> Interval:
    """Return `second - first` of two independent values, by their own intervals (Newcombe)."""
    return _square_and_add(first, second, correlation=0.0)


def paired_difference(counts: PairedCounts) -> Interval:
    """Return the second share less the first over the same pairs, with Newcombe's interval.

    Raises ValueError without a pair.
    """
    first = wilson(counts.both + counts.first, counts.pairs)
    second = wilson(counts.both + counts.second, counts.pairs)
    return _square_and_add(first, second, _correlation(counts))


def bootstrap_mean(
    values: Values, clusters: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """Return the mean with its 95 % percentile interval; NaN without a value.

    Whole clusters (users) are drawn with replacement, as often as there are clusters: the values of
    one user are not independent. `clusters` has the cluster of each value.
    """
    import numpy as np  # a tenth of a second, which every command would pay

    if not len(values):
        return Interval(math.nan, math.nan, math.nan)
    sums, counts = _by_cluster(values, clusters)
    chances = np.full(len(sums), 1 / len(sums))
    random = np.random.default_rng(int(unit(seed, "bootstrap") * 2**53))
    means = np.empty(resamples)
    for start in range(0, resamples, _RESAMPLES_AT_ONCE):
        rows = min(_RESAMPLES_AT_ONCE, resamples - start)
        weights = random.multinomial(len(sums), chances, size=rows)
        means[start : start + rows] = (weights @ sums) / (weights @ counts)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def sample_total(sampled: Sequence[float], total: int) -> Interval:
    """Return the total over `total` dialogues of what a sample without replacement shows.

    Without a spread when every dialogue is in the sample.
    """
    if not sampled:
        return Interval(0.0, 0.0, 0.0)
    size = len(sampled)
    mean = fmean(sampled)
    error = 0.0  # standard error of the mean
    if 1 < size < total:
        error = stdev(sampled) / math.sqrt(size) * math.sqrt(1 - size / total)
    low = max(0.0, (mean - Z_95 * error) * total)
    return Interval(mean * total, low, (mean + Z_95 * error) * total)


def _check_share(count: int, total: int) -> None:
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"{count} of {total} is no share")


def _square_and_add(first: Interval, second: Interval, correlation: float) -> Interval:
    change = second.value - first.value
    below = _combined(second.value - second.low, first.high - first.value, correlation)
    above = _combined(second.high - second.value, first.value - first.low, correlation)
    return Interval(change, change - below, change + above)


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def _correlation(counts: PairedCounts) -> float:
    """Return Newcombe's estimate of the correlation; 0 where a margin is empty.

    It has his continuity correction.
    """
    margins = (
        (counts.both + counts.first)
        * (counts.second + counts.neither)
        * (counts.both + counts.second)
        * (counts.first + counts.neither)
    )
    if not margins:
        return 0.0
    cross = counts.both * counts.neither - counts.first * counts.second
    corrected = float(cross)
    if cross > 0:
        corrected = max(cross - counts.pairs / 2, 0.0)
    return corrected / math.sqrt(margins)


def _by_cluster(values: Values, clusters: Sequence[str]) -> tuple[Any, Any]:
    """Return the sum and the number of each cluster's values, clusters in order of appearance."""
    import numpy as np

    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    places = np.array([numbers[cluster] for cluster in clusters])
    sums = np.bincount(places, weights=values)
    return sums.astype(np.float64), np.bincount(places).astype(np.float64)
