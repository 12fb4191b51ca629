"""Intervals that hold for many comparisons at once, at any rate and any number of dialogues.

`alpha` is the probability that an interval misses, divided by the caller among all comparisons. It
gets as small as one in a million, where normal approximations of rare events do not hold: shares
have exact (Clopper-Pearson) limits, means Student's t, distributions the bound of Kolmogorov and
Smirnov, which errs on the safe side for integers.
"""

from __future__ import annotations

import math

from tasks.history.values import Distribution, Mean, Share
from tasks.intervals import exact_share, independent_difference


def share_bound(before: Share, now: Share, alpha: float) -> float:
    """Return how far apart two shares with the same rate may be seen.

    The exact limits that face each other are combined as Newcombe does.
    """
    old = exact_share(before.count, before.total, alpha)
    new = exact_share(now.count, now.total, alpha)
    difference = independent_difference(old, new)
    if difference.value >= 0:
        return difference.value - difference.low
    return difference.high - difference.value


def mean_bound(before: Mean, now: Mean, alpha: float) -> float:
    """Return how far apart two means of the same expectation may be seen (Welch, cautious)."""
    from scipy.special import stdtrit  # a second to import, which every build would pay

    error = math.hypot(before.spread / math.sqrt(before.total), now.spread / math.sqrt(now.total))
    freedom = min(before.total, now.total) - 1
    return float(-stdtrit(freedom, alpha / 2)) * error


def distance(before: Distribution, now: Distribution) -> float:
    """Return the Kolmogorov-Smirnov distance: the largest gap between cumulative shares, 0 to 1."""
    seen_before, seen_now = sum(before.counts.values()), sum(now.counts.values())
    gap = largest = 0.0
    for value in sorted(before.counts.keys() | now.counts.keys()):
        gap += now.counts.get(value, 0) / seen_now - before.counts.get(value, 0) / seen_before
        largest = max(largest, abs(gap))
    return largest


def distance_bound(before: Distribution, now: Distribution, alpha: float) -> float:
    """Return the largest distance that equal distributions are seen at.

    It counts dialogues, not utterances, as those of one dialogue are alike.
    """
    share = 1 / before.dialogues + 1 / now.dialogues
    return math.sqrt(math.log(2 / alpha) / 2 * share)
