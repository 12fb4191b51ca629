"""How far raters agree: Kendall's W with ties (4.1.1) and Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from tasks.errors import UserError

Level = Literal["nominal", "ordinal", "interval"]
_Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Concordance:
    """Kendall's W, its chi-square and degrees of freedom, and its p without agreement."""

    w: float
    chi_square: float
    freedom: int
    p: float
    raters: int
    items: int


def kendall_w(ratings: Sequence[Sequence[float]]) -> Concordance:
    """Return Kendall's coefficient of concordance, corrected for ties.

    With m raters, n items, S the squared deviations of the items' rank sums, and T the sum of t^3 -
    t over every run of t tied ranks of
    every rater: W = 12 S / (m^2 (n^3 - n) - m T), and chi-square = m (n - 1) W.

    Args:
        ratings: one row a rater, one column an item, none missing.

    Raises:
        UserError: fewer than two raters or items, rows of unequal length, or raters who give every
            item the same.
    """
    if len(ratings) < 2 or len({len(row) for row in ratings}) != 1 or len(ratings[0]) < 2:
        raise UserError(
            "Kendall's W needs at least two raters who each rated the same two items or more"
        )
    matrix = np.asarray(ratings, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise UserError(
            "Kendall's W needs every rating; use Krippendorff's alpha where some are missing"
        )
    raters, items = matrix.shape
    sums = np.sum([stats.rankdata(row) for row in matrix], axis=0)
    spread = float(np.sum((sums - sums.mean()) ** 2))
    ties = float(
        sum(
            (count.astype(np.float64) ** 3 - count).sum()
            for count in (np.unique(row, return_counts=True)[1] for row in matrix)
        )
    )
    whole = raters**2 * (items**3 - items) - raters * ties
    if whole <= 0:
        raise UserError(
            "Kendall's W is not defined where every rater gives every item the same rating"
        )
    return concordance(12 * spread / whole, raters, items)


def concordance(w: float, raters: int, items: int) -> Concordance:
    """Return a known W with its chi-square and p."""
    chi_square = raters * (items - 1) * w
    return Concordance(
        w, chi_square, items - 1, float(stats.chi2.sf(chi_square, items - 1)), raters, items
    )


def krippendorff_alpha(
    ratings: Sequence[Sequence[float | None]], level: Level = "ordinal"
) -> float:
    """Return Krippendorff's alpha: 1 is full agreement, 0 what chance gives.

    Missing ratings are None.

    Args:
        ratings: one row a rater, one column an item.
        level: how far apart two ratings are: different or not, by ranks between them, or by their
            difference.

    Raises:
        UserError: no item has two ratings, or all ratings are the same value.
    """
    matrix = np.array(
        [[np.nan if value is None else value for value in row] for row in ratings], dtype=np.float64
    )
    values = np.unique(matrix[np.isfinite(matrix)])
    pairs = _coincidences(matrix, values)
    totals = pairs.sum(axis=1)
    whole = totals.sum()
    if whole <= 1:
        raise UserError("Krippendorff's alpha needs items that two raters or more have rated")
    distance = _distances(values, totals, level)
    expected = float((np.outer(totals, totals) * distance).sum() / (whole - 1))
    if expected == 0:
        raise UserError("Krippendorff's alpha is not defined where all ratings are the same")
    return float(1 - (pairs * distance).sum() / expected)


def shared_ratings(
    by_rater: Mapping[str, Mapping[str, float]],
) -> tuple[list[str], list[list[float]]]:
    """Return the items every rater rated and each rater's row of ratings, both by name."""
    items = (
        sorted(set.intersection(*(set(rated) for rated in by_rater.values()))) if by_rater else []
    )
    return items, [[by_rater[rater][item] for item in items] for rater in sorted(by_rater)]


def all_ratings(
    by_rater: Mapping[str, Mapping[str, float]],
) -> tuple[list[str], list[list[float | None]]]:
    """Return every item anyone rated, and a row for each rater with None where they did not."""
    items = sorted(set().union(*(set(rated) for rated in by_rater.values()))) if by_rater else []
    return items, [[by_rater[rater].get(item) for item in items] for rater in sorted(by_rater)]


def _coincidences(matrix: _Matrix, values: _Matrix) -> _Matrix:
    """Return how often pairs of values coincide within an item, weighted by its ratings."""
    pairs = np.zeros((len(values), len(values)))
    for column in matrix.T:
        given = column[np.isfinite(column)]
        if len(given) > 1:
            counts = (given[:, None] == values[None, :]).sum(axis=0).astype(np.float64)
            pairs += (np.outer(counts, counts) - np.diag(counts)) / (len(given) - 1)
    return pairs


def _distances(values: _Matrix, totals: _Matrix, level: Level) -> _Matrix:
    if level == "nominal":
        different: _Matrix = (values[:, None] != values[None, :]).astype(np.float64)
        return different
    if level == "interval":
        squared: _Matrix = (values[:, None] - values[None, :]) ** 2
        return squared
    middles = np.cumsum(totals) - totals / 2  # the middle rank of each value
    ranked: _Matrix = (middles[:, None] - middles[None, :]) ** 2
    return ranked
