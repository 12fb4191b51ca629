"""Which figures of a run differ from the runs before it by more than chance and by enough to matter.

Each figure is compared with all runs since it last changed, taken together: a slow fall is seen as
well as a sudden one, and a new level is marked once. What counts as enough is `SHARE_BOUND`,
`MEAN_BOUND` or `FACT_BOUND`; what counts as chance is an interval that allows for every figure of
`HORIZON` runs, so that of twenty histories of that many equal runs at most one has a false mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tasks.history.intervals import (
    distance,
    distance_bound,
    mean_bound,
    share_bound,
)
from tasks.history.values import ACCEPTANCE, FIRST, Distribution, Figures, Mean, Point, Share

ERROR: Final = 0.05  # probability of a false mark in a whole history
HORIZON: Final = 100  # runs
SHARE_BOUND: Final = 0.02  # 2 points
MEAN_BOUND: Final = 0.05  # of the mean before
FACT_BOUND: Final = 0.1  # Kolmogorov-Smirnov distance
FEWEST: Final = 20  # dialogues that a mean or a distribution is compared from
HEADLINES: Final = frozenset({ACCEPTANCE, FIRST})  # they share half of `ERROR`

Value = Share | Mean | Distribution


@dataclass(frozen=True)
class Change:
    """A figure of one run that left its level.

    Attributes:
        kind: `share`, `mean` or `fact`.
        before: share or mean of the runs before; None for a fact.
        now: share or mean of this run; None for a fact.
        size: difference of shares or means, or the Kolmogorov-Smirnov distance.
        bound: what `size` had to exceed.
    """

    run_id: str
    kind: str
    name: str
    before: float | None
    now: float | None
    size: float
    bound: float


@dataclass(frozen=True)
class Compared:
    """A point beside the runs before it: its marks, and the distance of each of its facts."""

    changes: tuple[Change, ...]
    drift: Mapping[str, float]


def compare(points: Sequence[Point]) -> list[Compared]:
    """Return for each point, in order of time, what changed. The first has nothing to differ from.

    What is said of a point does not depend on later ones.
    """
    levels: dict[tuple[str, str], Value] = {}
    return [_compare_point(point, levels) for point in points]


def _compare_point(point: Point, levels: dict[tuple[str, str], Value]) -> Compared:
    values = comparable(point)
    changes, drift = [], {}
    for key, now in values.items():
        before = levels.get(key)
        if before is None:
            levels[key] = now
            continue
        if isinstance(before, Distribution) and isinstance(now, Distribution):
            drift[key[1]] = distance(before, now)
        change = _change(point.run_id, key, before, now, _alpha(key, values))
        levels[key] = now if change else _added(before, now)
        if change:
            changes.append(change)
    return Compared(tuple(changes), drift)


def comparable(point: Point) -> dict[tuple[str, str], Value]:
    """Return the figures that can be compared, by kind and name.

    A run that ended early lacks repairs that others made: its acceptance is not compared, that of
    its first attempts is.
    """
    figures: Figures = point.figures
    shares = {("share", name): share for name, share in figures.shares.items() if share.total}
    if point.state != "completed":
        shares.pop(("share", ACCEPTANCE), None)
    means = {("mean", name): mean for name, mean in figures.means.items() if mean.total >= FEWEST}
    facts = {
        ("fact", name): fact for name, fact in figures.facts.items() if fact.dialogues >= FEWEST
    }
    return {**shares, **means, **facts}


def _alpha(key: tuple[str, str], values: Mapping[tuple[str, str], Value]) -> float:
    """Return a figure's part of the probability of a false mark: half goes to the headlines."""
    if key[0] == "share" and key[1] in HEADLINES:
        return ERROR / HORIZON / 2 / len(HEADLINES)
    return ERROR / HORIZON / 2 / len(values)


def _change(
    run_id: str, key: tuple[str, str], before: Value, now: Value, alpha: float
) -> Change | None:
    match before, now:
        case Share(), Share():
            old, new = before.count / before.total, now.count / now.total
            size, bound = new - old, max(SHARE_BOUND, share_bound(before, now, alpha))
        case Mean(), Mean():
            old, new = before.value, now.value
            size, bound = new - old, max(MEAN_BOUND * abs(old), mean_bound(before, now, alpha))
        case Distribution(), Distribution():
            gap, bound = distance(before, now), max(FACT_BOUND, distance_bound(before, now, alpha))
            return Change(run_id, *key, None, None, gap, bound) if gap > bound else None
        case _:
            return None
    return Change(run_id, *key, old, new, size, bound) if _exceeds(size, bound) else None


def _exceeds(size: float, bound: float) -> bool:
    return abs(size) > bound + 1e-12  # 0.92 - 0.90 is not above 0.02


def _added(before: Value, now: Value) -> Value:
    match before, now:
        case Share(), Share():
            return before + now
        case Mean(), Mean():
            return before + now
        case Distribution(), Distribution():
            return before + now
    return now
