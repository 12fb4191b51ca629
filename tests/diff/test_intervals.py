"""Intervals against published and hand-computed figures."""

from __future__ import annotations

import random

import pytest

from tasks.diff.intervals import (
    Interval,
    PairedCounts,
    independent_difference,
    paired_difference,
    wilson,
)


def rounded(interval: Interval) -> tuple[float, float, float]:
    return round(interval.value, 4), round(interval.low, 4), round(interval.high, 4)


def test_wilson_by_hand() -> None:
    """1 of 4, z^2 = 3.8415: centre (0.25 + 0.48018) / 1.96036, half 1.95996 * sqrt(0.046875 + 0.060023) / 1.96036."""
    assert rounded(wilson(1, 4)) == (0.25, 0.0456, 0.6994)
    assert rounded(wilson(0, 10))[:2] == (0.0, 0.0) and rounded(wilson(10, 10))[2] == 1.0
    for count, of in ((5, 4), (-1, 4), (0, 0)):
        with pytest.raises(ValueError, match="is no share"):
            wilson(count, of)


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
    # An empty margin: no correlation can be told.
    equal = paired_difference(PairedCounts(54, 0, 0, 0))
    assert equal.value == 0 and equal.low < 0 < equal.high


def test_the_paired_interval_covers_the_truth() -> None:
    """In 400 draws of 120 pairs whose second share is 0.06 higher and that agree otherwise, at least 92 % of intervals hold 0.06."""
    rng = random.Random(11)
    held = 0
    for _ in range(400):
        draws = rng.choices(["both", "second", "first", "neither"], [0.78, 0.10, 0.04, 0.08], k=120)
        counts = PairedCounts(
            *(draws.count(kind) for kind in ("both", "first", "second", "neither"))
        )
        found = paired_difference(counts)
        held += found.low <= 0.06 <= found.high
    assert held >= 0.92 * 400
