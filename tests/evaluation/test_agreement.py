from __future__ import annotations

import random

import pytest
from scipy import stats

from tasks.errors import UserError
from tasks.evaluation.agreement import (
    all_ratings,
    concordance,
    kendall_w,
    krippendorff_alpha,
    shared_ratings,
)


def test_the_papers_figures() -> None:
    # 4.1.1: seven raters, 1,996 items, chi-square 4353.788; the exact 0.99 quantile is 2144.88, not
    # 2150.66
    found = concordance(4353.788 / (7 * 1995), 7, 1996)
    assert found.w == pytest.approx(0.3118, abs=5e-5)
    assert (found.chi_square, found.freedom) == (pytest.approx(4353.788), 1995)
    assert found.p < 0.01
    assert float(stats.chi2.ppf(0.99, 1995)) == pytest.approx(2144.88, abs=0.005)


def test_a_textbook_example_without_ties() -> None:
    # Three judges rank six applicants; the rank sums are 8, 14, 11, 11, 11, 8, so S = 25.5 and W =
    # 12 * 25.5 / (9 * 210)
    ratings = [[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]]
    found = kendall_w(ratings)
    assert found.w == pytest.approx(12 * 25.5 / (9 * 210))
    assert found.chi_square == pytest.approx(3 * 5 * found.w)


def test_a_textbook_example_with_ties() -> None:
    # Three rankings of ten with ties: rank sums 5.5 6.5 9 13.5 12 20 23 23.5 25.5 26.5, so S = 591;
    # T = 12 + 18 + 84 = 114
    ratings = [
        [1, 4.5, 2, 4.5, 3, 7.5, 6, 9, 7.5, 10],
        [2.5, 1, 2.5, 4.5, 4.5, 8, 9, 6.5, 10, 6.5],
        [2, 1, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10],
    ]
    assert (
        kendall_w(ratings).w
        == pytest.approx(12 * 591 / (9 * 990 - 3 * 114))
        == pytest.approx(0.828, abs=0.0005)
    )


def test_w_agrees_with_friedmans_test_of_another_library() -> None:
    drawn = random.Random(2)
    ratings = [[drawn.choice([0, 1, 2]) for _ in range(40)] for _ in range(7)]
    found = kendall_w(ratings)
    chi_square, p = stats.friedmanchisquare(*zip(*ratings, strict=True))
    assert found.chi_square == pytest.approx(float(chi_square)) and found.p == pytest.approx(
        float(p)
    )


def test_full_agreement_and_none() -> None:
    assert kendall_w([[0, 1, 2, 2]] * 4).w == pytest.approx(1.0)
    assert kendall_w([[1, 2, 3], [3, 2, 1]]).w == pytest.approx(0.0)


# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: four observers,
# twelve units, missing values
EXAMPLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_krippendorffs_own_example(level: str, alpha: float) -> None:
    assert krippendorff_alpha(EXAMPLE, level) == pytest.approx(alpha, abs=0.0005)  # type: ignore[arg-type]


def test_undefined_agreement_is_none() -> None:
    for ratings in (
        [],
        [[1, 2]],
        [[1], [1]],
        [[1, 2], [1]],
        [[1, 1], [2, 2]],
        [[1, float("nan")], [1, 2]],
    ):
        with pytest.raises(UserError, match="Kendall"):
            kendall_w(ratings)
    for missing in ([[1, None], [None, 2]], [[1, 1], [1, 1]], [[], []]):
        with pytest.raises(UserError, match="Krippendorff"):
            krippendorff_alpha(missing)


def test_ratings_are_lined_up_by_name() -> None:
    by_rater = {"b": {"x": 1.0, "y": 2.0}, "a": {"y": 0.0, "z": 1.0}}
    assert shared_ratings(by_rater) == (["y"], [[0.0], [2.0]])
    assert all_ratings(by_rater) == (["x", "y", "z"], [[None, 0.0, 1.0], [1.0, 2.0, None]])
    assert shared_ratings({}) == ([], [])
