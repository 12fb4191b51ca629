"""Calibration: the estimate's formula, what rules see of planted defects, what is left."""

from __future__ import annotations

import math
from random import Random

import pytest

from tasks.calibration import Reading, by_people, left_in_release, left_text, not_calibrated
from tasks.calibration.figures import GOOD, RELEASED, rogan_gladen


def test_the_estimate_is_rogan_and_gladens() -> None:
    # 30 of 200 found, sensitivity 45 of 50, specificity 190 of 200.
    found = rogan_gladen((30, 200), (45, 50), (190, 200))
    assert found is not None
    assert found.value == pytest.approx((0.15 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert found.low < found.value < found.high


def test_a_reader_no_better_than_chance_says_nothing() -> None:
    assert rogan_gladen((5, 10), (1, 2), (1, 2)) is None
    with pytest.raises(ValueError, match="needs a dialogue"):
        rogan_gladen((0, 0), (1, 2), (1, 2))


def drawn(rng: Random, total: int, share: float) -> int:
    """Return how many of so many fall under a share by chance."""
    return sum(rng.random() < share for _ in range(total))


@pytest.mark.parametrize(("share", "sensitivity"), [(0.02, 0.8), (0.15, 0.6), (0.4, 0.9)])
def test_the_interval_holds_the_truth_in_19_of_20_cases(share: float, sensitivity: float) -> None:
    rng, specificity, held, rounds = Random(f"{share}"), 0.97, 0, 400
    for _ in range(rounds):
        found = drawn(rng, 150, share * sensitivity + (1 - share) * (1 - specificity))
        estimate = rogan_gladen(
            (found, 150),
            (drawn(rng, 60, sensitivity), 60),
            (drawn(rng, 80, specificity), 80),
        )
        assert estimate is not None
        held += estimate.low <= share <= estimate.high
    # Four standard errors below the promise.
    assert held / rounds > 0.95 - 4 * math.sqrt(0.95 * 0.05 / rounds)


READINGS = [
    Reading("no-near-copy", "planted", "D7 near-copy", 90, 88),
    Reading("a/judge", "planted", "D7 near-copy", 20, 12),
    Reading("a/judge", "planted", "D6 other work", 20, 18),
    Reading("a/judge", "released", RELEASED, 100, 6),
]


def test_without_known_good_dialogues_the_estimate_is_a_bound() -> None:
    left = left_in_release(READINGS, "a/judge")
    assert left is not None and left.is_bound and left.sampled == 100
    assert left.share.value == pytest.approx(0.06 / 0.75)
    assert left_text(left, 9812).startswith("of 9,812 accepted dialogues, at most 8.0 % [")


def test_peoples_good_dialogues_give_the_specificity() -> None:
    people = Reading("a/judge", "people", GOOD, 100, 4)
    left = left_in_release([*READINGS, people], "a/judge")
    assert left is not None and not left.is_bound
    assert left.share.value == pytest.approx((0.06 + 0.96 - 1) / (0.75 + 0.96 - 1))
    assert people.share is not None and people.share.value == 0.96


def test_what_nobody_has_measured_is_named() -> None:
    assert left_in_release(READINGS, "another/judge") is None
    rules = ["no-near-copy", "readable"]
    assert not_calibrated(READINGS, rules) == ["readable"]


def test_people_and_readers_are_held_against_each_other() -> None:
    graded = {"a": GOOD, "b": GOOD, "c": "opinion", "d": "opinion", "e": "goals"}
    read = by_people("a/judge", graded, ["b", "c", "z"])
    assert [(one.kind, one.dialogues, one.found) for one in read] == [
        (GOOD, 2, 1),
        ("goals", 1, 0),
        ("opinion", 2, 1),
    ]
    assert read[0].share is not None and read[0].share.value == 0.5
