"""Intervals that hold for many comparisons at once, at any rate and any number of dialogues.

`alpha` is the probability that an interval misses, divided by the caller among all comparisons. It
gets as small as one in a million, where normal approximations of rare events do not hold: shares
have exact (Clopper-Pearson) limits, means Student's t, distributions the bound of Kolmogorov and
Smirnov, which errs on the safe side for integers.
"""

from __future__ import annotations

import math

from tasks.history.values import Distribution, Mean, Share


def share_limits(share: Share, alpha: float) -> tuple[float, float]:
    """Return the Clopper-Pearson limits of a share, from 0 to 1."""
    from scipy.special import betaincinv  # a second to import, which every build would pay

    count, total = share.count, share.total
    low = float(betaincinv(count, total - count + 1, alpha / 2)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - alpha / 2)) if count < total else 1.0
    return low, high


def share_bound(before: Share, now: Share, alpha: float) -> float:
    """Return how far apart two shares may be seen that are equal in truth.

    Both limits that face each other are combined as Newcombe (1998, method 10) does.
    """
    old, new = before.count / before.total, now.count / now.total
    (old_low, old_high), (new_low, new_high) = share_limits(before, alpha), share_limits(now, alpha)
    if new >= old:
        return math.hypot(new - new_low, old_high - old)
    return math.hypot(new_high - new, old - old_low)


def mean_bound(before: Mean, now: Mean, alpha: float) -> float:
    """Return how far apart two means may be seen that are equal in truth (Welch, cautious)."""
    from scipy.special import stdtrit

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
