"""Calibration: the estimate's formula, what rules see of planted defects, what is left."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import duckdb
import pytest

from tasks.calibration import (
    RELEASED,
    Agreement,
    Reading,
    agreements,
    by_people,
    calibrated_at,
    left_in_release,
    left_text,
    not_calibrated,
    read_agreements,
    read_calibration,
    store_calibration,
)
from tasks.calibration.figures import GOOD, rogan_gladen
from tasks.intervals import PairedCounts
from tasks.judge import Fault
from tasks.warehouse import create_tables


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


FAULT = [Fault(1, "opinion", "so good")]


def test_two_judges_are_compared_where_both_have_a_verdict() -> None:
    found = {
        "a/judge": [FAULT, FAULT, [], [], None, FAULT],
        "b/judge": [FAULT, [], [], [], FAULT, None],
        "c/judge": [None] * 6,
    }
    (one,) = agreements(found)
    assert (one.first, one.second) == ("a/judge", "b/judge")
    assert one.counts == PairedCounts(both=1, first=1, second=0, neither=2)
    assert one.share.value == 0.75
    # By chance they say the same of (2/4 x 1/4 + 2/4 x 3/4) of the dialogues.
    assert one.kappa is not None and one.kappa.value == pytest.approx((0.75 - 0.5) / 0.5)


def test_kappas_interval_holds_the_truth_in_about_19_of_20_cases() -> None:
    # Both reject 30 %, the first alone 10 %, the second alone 5 %: kappa is known.
    shares = {(True, True): 0.3, (True, False): 0.1, (False, True): 0.05, (False, False): 0.55}
    by_chance = 0.4 * 0.35 + 0.6 * 0.65
    truth = (0.85 - by_chance) / (1 - by_chance)
    rng, held, rounds = Random("kappa"), 0, 400
    for _ in range(rounds):
        seen = Counter(rng.choices(list(shares), list(shares.values()), k=300))
        counts = PairedCounts(*(seen[pair] for pair in shares))
        kappa = Agreement("a", "b", counts).kappa
        assert kappa is not None
        held += kappa.low <= truth <= kappa.high
    assert abs(held / rounds - 0.95) < 4 * math.sqrt(0.95 * 0.05 / rounds)


def test_where_all_say_the_same_kappa_says_nothing() -> None:
    assert Agreement("a", "b", PairedCounts(0, 0, 0, 9)).kappa is None
    full = Agreement("a", "b", PairedCounts(4, 0, 0, 5)).kappa
    assert full is not None and full.value == 1 == full.high


def test_what_was_measured_is_kept_until_it_is_measured_again() -> None:
    con = duckdb.connect()
    assert read_agreements(con) == read_calibration(con) == [] and calibrated_at(con) is None
    create_tables(con)
    pair = Agreement("a/judge", "b/judge", PairedCounts(3, 2, 1, 9))
    store_calibration(con, READINGS, "run-1", [pair])
    assert read_agreements(con) == [pair] and len(read_calibration(con)) == len(READINGS)
    assert calibrated_at(con) is not None
    store_calibration(con, READINGS[:1], "run-2")
    assert read_agreements(con) == [] and read_calibration(con) == READINGS[:1]
