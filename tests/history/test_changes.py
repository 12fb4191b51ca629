"""What is marked in a history: nothing of equal runs, a true fall where the interval allows it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pytest

from tasks.history.changes import ERROR, HORIZON, compare
from tasks.history.intervals import distance, share_bound, share_limits
from tasks.history.values import (
    ACCEPTANCE,
    DOLLARS,
    FIRST,
    RULE,
    TOKENS,
    Distribution,
    Figures,
    Mean,
    Point,
    Share,
)

RULES = {
    f"{RULE}rule-{number}": rate
    for number, rate in enumerate([0.0, 0.0005, 0.002, 0.01, 0.03, 0.06] * 4)
}
FACTS = {
    f"dialogue fact-{number}": mean
    for number, mean in enumerate([0.0, 0.01, 0.1, 0.5, 2.0, 10.0] * 6)
}
START = datetime(2026, 1, 1)


def simulated(
    random: np.random.Generator,
    number: int,
    dialogues: int,
    acceptance: float = 0.9,
    **other: float,
) -> Point:
    """Return a run whose figures are drawn: the same rates and means for every run but for what is given."""

    def share(rate: float) -> Share:
        return Share(int(random.binomial(dialogues, rate)), dialogues)

    def mean(centre: float) -> Mean:
        drawn = random.lognormal(0.0, 0.6, dialogues) * centre
        return Mean(float(drawn.mean()), float(drawn.std(ddof=1)), dialogues)

    rules = {name: share(other.get(name, rate)) for name, rate in RULES.items()}
    facts = {
        name: Counter(map(int, random.poisson(other.get(name, rate), dialogues)))
        for name, rate in FACTS.items()
    }
    figures = Figures(
        shares={
            ACCEPTANCE: share(acceptance),
            FIRST: share(acceptance - 0.1),
            "failed": share(0.01),
            **rules,
        },
        means={TOKENS: mean(other.get(TOKENS, 1300.0)), DOLLARS: mean(0.001)},
        facts={name: Distribution(dict(counts), dialogues) for name, counts in facts.items()},
        amounts={"requests": float(dialogues)},
    )
    return Point(f"run-{number}", START + timedelta(days=number), "completed", "c", "v", figures)


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
    assert fall.size == pytest.approx(-0.05, abs=0.02) and 0.02 <= fall.bound < -fall.size
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
    figures = Figures({ACCEPTANCE: Share(accepted, 1_000_000)}, {}, {}, {})
    return Point(f"run-{number}", START + timedelta(days=number), state, "c", "v", figures)


def test_limits_and_distances_are_those_of_the_books() -> None:
    # Clopper and Pearson (1934): 3 of 10 at 95 %; none of 10 has the upper limit 1 - 0.025 ** 0.1.
    assert share_limits(Share(3, 10), 0.05) == pytest.approx((0.0667, 0.6525), abs=1e-4)
    assert share_limits(Share(0, 10), 0.05) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert share_limits(Share(10, 10), 0.05) == pytest.approx((0.025**0.1, 1.0))
    # All of the 4 lie at or below 1 and half of the 2: the gap is one half.
    assert distance(Distribution({0: 1, 1: 3}, 4), Distribution({1: 1, 5: 1}, 2)) == pytest.approx(
        0.5
    )


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
        abs(old.count / old.total - new.count / new.total) > share_bound(old, new, 0.01)
        for old, new in pairs
    )
    assert missed <= 0.01 * len(pairs)


def test_added_means_are_those_of_all_values_together() -> None:
    random = np.random.default_rng(1)
    parts = [random.normal(10, 3, 40), random.normal(14, 2, 7)]
    first, second = (Mean(float(part.mean()), float(part.std(ddof=1)), len(part)) for part in parts)
    together, every = first + second, np.concatenate(parts)
    assert (together.value, together.spread, together.total) == pytest.approx(
        (every.mean(), every.std(ddof=1), 47)
    )


def test_a_fall_of_five_points_is_seen_from_800_dialogues_on() -> None:  # docs/how-to/watch-runs.md
    bounds = [
        share_bound(Share(9 * size, 10 * size), Share(size * 85 // 100, size), ERROR / HORIZON / 4)
        for size in (600, 800)
    ]
    assert bounds[0] > 0.05 > bounds[1]
