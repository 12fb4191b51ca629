"""What is marked in a history: nothing of equal runs, a true fall where the interval allows it."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.history.changes import SHARE_BOUND, change_text, compare
from tasks.history.intervals import distance, share_bound
from tasks.history.values import ACCEPTANCE, RULE, TOKENS, Distribution, Figures, Mean, Point, Share
from tests.support.simulated_runs import point_of, simulated


def history(seed: int, sizes: list[int], **last: float) -> list[Point]:
    random = np.random.default_rng(seed)
    points = [simulated(random, number, size) for number, size in enumerate(sizes[:-1])]
    return [*points, simulated(random, len(sizes), sizes[-1], **last)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "sizes",
    [[25] * 30, [200] * 30, [1500] * 30, [20, 40, 3000] * 10],
    ids=["25", "200", "1500", "mixed"],
)
def test_thirty_equal_runs_have_no_mark(seed: int, sizes: list[int]) -> None:
    assert [
        change for compared in compare(history(seed, sizes)) for change in compared.changes
    ] == []


@pytest.mark.parametrize("seed", range(12))
def test_a_fall_of_five_points_is_marked_where_the_interval_allows_it(seed: int) -> None:
    (*before, last) = compare(history(seed, [4000] * 10, acceptance=0.85))
    assert not any(compared.changes for compared in before)
    fall = next(change for change in last.changes if change.name == ACCEPTANCE)
    assert fall.size == pytest.approx(-0.05, abs=0.02)
    assert 0.02 <= fall.bound < -fall.size
    # Of 50, one in five such runs accepts 45.
    (*_, small) = compare(history(seed, [50] * 10, acceptance=0.85))
    assert small.changes == ()


def test_each_kind_of_figure_is_marked_by_its_name() -> None:
    moved = {f"{RULE}rule-3": 0.08, "dialogue fact-4": 3.5, TOKENS: 1600.0}
    (*_, last) = compare(history(1, [2000] * 5, **moved))
    assert {change.name: change.kind for change in last.changes} == {
        f"{RULE}rule-3": "share", "dialogue fact-4": "fact", TOKENS: "mean",
    }  # fmt: skip


def test_a_change_is_marked_once_and_a_slow_fall_is_marked() -> None:
    random = np.random.default_rng(3)
    rates = [0.95, 0.95, 0.95, 0.85, 0.85, 0.85, 0.85]
    found = compare([simulated(random, number, 3000, rate) for number, rate in enumerate(rates)])
    marked = [any(change.name == ACCEPTANCE for change in compared.changes) for compared in found]
    assert marked == [number == 3 for number in range(len(rates))]
    slow = compare([simulated(random, number, 3000, 0.95 - 0.01 * number) for number in range(8)])
    assert any(change.name == ACCEPTANCE for compared in slow for change in compared.changes)


def test_a_certain_change_of_less_than_two_points_is_not_marked() -> None:
    (_, last) = compare([fixed(0, 900_000), fixed(1, 881_000)])
    assert last.changes == ()
    (_, last) = compare([fixed(0, 900_000), fixed(1, 879_000)])
    assert [change.name for change in last.changes] == [ACCEPTANCE]


def test_what_is_said_of_a_point_does_not_depend_on_later_ones() -> None:
    points = history(5, [2000] * 6, acceptance=0.8)
    assert compare(points)[:4] == compare(points[:4])


def test_the_acceptance_of_a_run_that_ended_early_is_not_compared() -> None:
    (_, last) = compare([fixed(0, 900_000), fixed(1, 300_000, "budget")])
    assert last.changes == ()


def fixed(number: int, accepted: int, state: str = "completed") -> Point:
    """Return a run of a million dialogues of which so many were accepted."""
    return point_of(number, Figures({ACCEPTANCE: Share(accepted, 1_000_000)}, {}, {}, {}), state)


def test_a_distance_is_the_largest_gap() -> None:
    # All of the 4 are at or below 1, and half of the 2.
    before, now = Distribution({0: 1, 1: 3}, 4), Distribution({1: 1, 5: 1}, 2)
    assert distance(before, now) == pytest.approx(0.5)


# The share of pairs that a bound of 99 % may miss: the probability that is asked for.
MAY_MISS = 0.01


@pytest.mark.parametrize(
    ("rate", "sizes"), [(0.001, (10_000, 100)), (0.02, (500, 40)), (0.5, (50, 50))]
)
def test_the_bound_holds_for_rare_events(rate: float, sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(7)
    before, now = (random.binomial(size, rate, 4_000) for size in sizes)
    pairs = [
        (Share(int(old), sizes[0]), Share(int(new), sizes[1]))
        for old, new in zip(before, now, strict=True)
    ]
    missed = sum(
        abs(old.count / old.total - new.count / new.total) > share_bound(old, new, MAY_MISS)
        for old, new in pairs
    )
    assert missed <= MAY_MISS * len(pairs)


def test_added_means_are_those_of_all_values_together() -> None:
    random = np.random.default_rng(1)
    parts = [random.normal(10, 3, 40), random.normal(14, 2, 7)]
    first, second = (Mean(float(part.mean()), float(part.std(ddof=1)), len(part)) for part in parts)
    together, every = first + second, np.concatenate(parts)
    assert (together.value, together.spread, together.total) == pytest.approx(
        (every.mean(), every.std(ddof=1), 47)
    )


def accepting(shares: list[int], dialogues: int) -> list[Point]:
    """Return runs of so many dialogues each, of which so many were accepted."""
    return [
        point_of(number, Figures({ACCEPTANCE: Share(accepted, dialogues)}, {}, {}, {}))
        for number, accepted in enumerate(shares)
    ]


def test_a_fall_that_one_small_run_cannot_show_is_marked_in_the_runs_after_it() -> None:
    # 90 % of 400, ten times, then 85 %.
    compared = compare(accepting([360] * 10 + [340] * 5, 400))
    (change,) = [change for point in compared for change in point.changes]
    assert compared[12].changes == (change,)
    assert (change.runs, change.before, change.now) == (3, 0.9, 0.85)
    assert SHARE_BOUND < change.bound < 0.05
    assert change_text(change).endswith("last 3 runs)")


def test_the_level_after_a_change_is_that_of_the_runs_that_showed_it() -> None:
    compared = compare(accepting([360] * 10 + [340] * 5 + [300] * 3, 400))
    marks = [change for point in compared for change in point.changes]
    assert [(change.run_id, change.before) for change in marks] == [
        ("run-12", 0.9),
        ("run-15", 0.85),
    ]


@pytest.mark.parametrize("seed", range(10))
def test_most_falls_of_five_points_are_marked_within_three_runs(seed: int) -> None:
    """Of 20 histories each: 95 -> 90 % in at least 19, 90 -> 85 % in at least 15."""
    random = np.random.default_rng(seed)
    for before, after, least in ((0.95, 0.90, 19), (0.90, 0.85, 15)):
        marked = 0
        for _ in range(20):
            counts = [int(random.binomial(500, before)) for _ in range(10)]
            counts += [int(random.binomial(500, after)) for _ in range(3)]
            marked += any(point.changes for point in compare(accepting(counts, 500))[10:])
        assert marked >= least
