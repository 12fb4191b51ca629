"""95 % intervals of shares, of means and of their differences.

A share has Wilson's score interval. The difference of two independent shares or means has Newcombe's (square and add, method 10 of
Statistics in Medicine 17, 1998, 873-890), and that of two shares over the same briefs his interval for paired data, with the
continuity correction of the correlation (method 10 of the same volume, 2635-2650). Means are bootstrapped over users; see
`tasks.evaluation.estimate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedCounts:
    """How often both of a pair hold, the first alone, the second alone, and neither."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return self.both + self.first + self.second + self.neither


def wilson(count: int, of: int) -> Interval:
    """Return the share `count / of` with Wilson's interval. Raises ValueError unless 0 <= count <= of and of > 0."""
    if not 0 <= count <= of or of == 0:
        raise ValueError(f"{count} of {of} is no share")
    share, square = count / of, Z * Z
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def independent_difference(first: Interval, second: Interval) -> Interval:
    """Return `second - first` of two independent values, with the interval that their own intervals give."""
    return _square_and_add(first, second, correlation=0.0)


def paired_difference(counts: PairedCounts) -> Interval:
    """Return the second share less the first over the same pairs. Raises ValueError without a pair."""
    first = wilson(counts.both + counts.first, counts.pairs)
    second = wilson(counts.both + counts.second, counts.pairs)
    return _square_and_add(first, second, _correlation(counts))


def _correlation(counts: PairedCounts) -> float:
    """Return Newcombe's estimate of the correlation, with its continuity correction; 0 where a margin is empty."""
    margins = (
        (counts.both + counts.first) * (counts.second + counts.neither) * (counts.both + counts.second) * (counts.first + counts.neither)
    )
    if not margins:
        return 0.0
    cross = counts.both * counts.neither - counts.first * counts.second
    corrected = max(cross - counts.pairs / 2, 0.0) if cross > 0 else float(cross)
    return corrected / math.sqrt(margins)


def _square_and_add(first: Interval, second: Interval, correlation: float) -> Interval:
    change = second.value - first.value
    below = _combined(second.value - second.low, first.high - first.value, correlation)
    above = _combined(second.high - second.value, first.value - first.low, correlation)
    return Interval(change, change - below, change + above)


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))
