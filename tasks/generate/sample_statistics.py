"""Totals and ratios estimated from a sample, with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A total with its 95 % interval; without a spread when every brief was counted."""

    value: float
    low: float
    high: float

    def times(self, factor: float, spread: float = 0.0) -> Estimate:
        """Return it scaled by a factor whose relative standard error is `spread`."""
        half = math.hypot(_Z * spread * self.value, (self.high - self.low) / 2)
        return Estimate(
            self.value * factor,
            max(0.0, (self.value - half) * factor),
            (self.value + half) * factor,
        )


def sample_total(sampled: Sequence[float], total: int) -> Estimate:
    """Return the total over `total` dialogues of what a sample without replacement shows."""
    if not sampled:
        return Estimate(0.0, 0.0, 0.0)
    mean, size = fmean(sampled), len(sampled)
    error = 0.0  # standard error of the mean, 0 when every dialogue was counted
    if 1 < size < total:
        error = stdev(sampled) / math.sqrt(size) * math.sqrt(1 - size / total)
    low = max(0.0, (mean - _Z * error) * total)
    return Estimate(mean * total, low, (mean + _Z * error) * total)


def ratio_of_sums(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the ratio of sums of (used, guessed) pairs and its relative standard error."""
    used, guessed = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if not used or not guessed:
        return 1.0, 0.0
    ratio = used / guessed
    residuals = [pair[0] - ratio * pair[1] for pair in pairs]
    if len(residuals) < 2:
        return ratio, 0.0
    return ratio, stdev(residuals) * math.sqrt(len(residuals)) / used
