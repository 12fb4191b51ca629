"""Intervals against published and hand-computed figures."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tasks.intervals import (
    Z_95,
    Interval,
    PairedCounts,
    bootstrap_mean,
    exact_share,
    independent_difference,
    paired_difference,
    sample_total,
    wilson,
)


def rounded(interval: Interval) -> tuple[float, float, float]:
    return round(interval.value, 4), round(interval.low, 4), round(interval.high, 4)


def test_wilson_by_hand() -> None:
    """1 of 4, z^2 = 3.8415.

    Centre (0.25 + 0.48018) / 1.96036, half 1.95996 * sqrt(0.046875 + 0.060023) / 1.96036.
    """
    assert rounded(wilson(1, 4)) == (0.25, 0.0456, 0.6994)
    assert rounded(wilson(0, 10))[:2] == (0.0, 0.0)
    assert rounded(wilson(10, 10))[2] == 1.0
    for count, total in ((5, 4), (-1, 4), (0, 0)):
        with pytest.raises(ValueError, match="is no share"):
            wilson(count, total)


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [  # Newcombe 1998, Table II, method 10
        ((48, 80), (56, 70), (0.2, 0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.6, 0.1705, 0.8090)),
        ((2, 7), (6, 7), (0.5714, 0.0582, 0.8062)),
        ((0, 29), (5, 56), (0.0893, -0.0381, 0.1926)),
        ((0, 20), (10, 10), (1.0, 0.6791, 1.0)),
    ],
)
def test_the_difference_of_independent_shares(
    first: tuple[int, int], second: tuple[int, int], published: tuple[float, float, float]
) -> None:
    assert rounded(independent_difference(wilson(*first), wilson(*second))) == published


def test_the_difference_of_paired_shares_by_hand() -> None:
    """36 both, 2 the first alone, 12 the second alone, none neither.

    Shares 38/50 in [0.6259, 0.8570] and 48/50 in [0.8654, 0.9890]. Correlation (36 * 0 - 2 * 12) /
    sqrt(38 * 12 * 48 * 2) = -0.1147.
    Below: sqrt(0.0946^2 + 2 * 0.1147 * 0.0946 * 0.0970 + 0.0970^2) = 0.1431. Above: the same with
    0.0290 and 0.1341, 0.1404.
    """
    assert rounded(paired_difference(PairedCounts(36, 2, 12, 0))) == (0.2, 0.0569, 0.3404)


def test_the_correlation_of_pairs_is_corrected_for_continuity() -> None:
    """Altman et al. 2000, p. 52: 14 both, 5 and 0 alone, 22 neither.

    Correlation (308 - 20.5) / sqrt(14 * 27 * 19 * 22) = 0.7233.
    """
    assert rounded(paired_difference(PairedCounts(14, 0, 5, 22))) == (0.122, 0.0115, 0.2265)
    # An empty margin: the correlation is not known.
    equal = paired_difference(PairedCounts(54, 0, 0, 0))
    assert equal.value == 0 and equal.low < 0 < equal.high


def test_the_paired_interval_covers_the_truth() -> None:
    """The second share of 120 pairs is 0.06 higher: at least 92 % of 400 intervals hold 0.06."""
    random_source = random.Random(11)
    cases = ["both", "second", "first", "neither"]
    covering = 0
    for _ in range(400):
        draws = random_source.choices(cases, [0.78, 0.10, 0.04, 0.08], k=120)
        counts = {case: draws.count(case) for case in cases}
        difference = paired_difference(PairedCounts(**counts))
        covering += difference.low <= 0.06 <= difference.high
    assert covering >= 0.92 * 400


def test_intervals_widen_when_values_share_users() -> None:
    values = np.array([1.0] * 50 + [0.0] * 50)
    alone = bootstrap_mean(values, [f"u{number}" for number in range(100)], seed=1)
    shared = bootstrap_mean(values, [f"u{number // 25}" for number in range(100)], seed=1)
    assert alone.value == shared.value == 0.5
    # 0.5 +- 1.96 * sqrt(0.25 / 100).
    assert alone.low == pytest.approx(0.4, abs=0.03)
    assert alone.high == pytest.approx(0.6, abs=0.03)
    # Four users, two with ones alone and two with zeros alone.
    assert (shared.low, shared.high) == (0.0, 1.0)
    assert bootstrap_mean(values, ["u"] * 100, seed=1).low == 0.5
    assert alone == bootstrap_mean(values, [f"u{number}" for number in range(100)], seed=1)


def test_users_with_more_values_weigh_more() -> None:
    mean = bootstrap_mean(np.array([1.0, 1.0, 1.0, 0.0]), ["a", "a", "a", "b"], seed=2)
    assert mean == Interval(0.75, 0.0, 1.0)


def test_the_mean_of_nothing_is_not_a_number() -> None:
    assert math.isnan(bootstrap_mean(np.array([]), []).value)


def test_exact_limits_are_those_of_the_books() -> None:
    # Clopper and Pearson (1934): 3 of 10 at 95 %; none of 10 has the upper limit 1 - 0.025 ** 0.1.
    assert limits(exact_share(3, 10, 0.05)) == pytest.approx((0.0667, 0.6525), abs=1e-4)
    assert limits(exact_share(0, 10, 0.05)) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert limits(exact_share(10, 10, 0.05)) == pytest.approx((0.025**0.1, 1.0))
    with pytest.raises(ValueError, match="is no share"):
        exact_share(0, 0, 0.05)


def limits(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_the_total_of_a_sample_by_hand() -> None:
    assert sample_total([1.0, 2.0, 3.0], 3) == Interval(6.0, 6.0, 6.0)
    # Mean 2, deviation sqrt(2), standard error sqrt(2) / sqrt(2) * sqrt(1 / 2).
    part = sample_total([1.0, 3.0], 4)
    assert part.value == 8.0
    assert part.high - part.value == pytest.approx(Z_95 * 0.5**0.5 * 4)
    assert Interval(10, 8, 12).times(2) == Interval(20, 16, 24)
