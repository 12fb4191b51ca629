"""Which figures of a run differ from those before by more than chance and by enough to matter.

Each figure is compared with all runs since it last changed, taken together: a slow fall is seen as
well as a sudden one, and a new level is marked once. The last run is compared with those before,
and so are the last two and the last three taken together: a fall that one small run cannot show is
seen in the runs after it. What counts as enough is `SHARE_BOUND`, `MEAN_BOUND` or `FACT_BOUND`;
what counts as chance is an interval that allows for every comparison of `HORIZON` runs, so that of
fifty histories of that many equal runs at most one has a false mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from tasks.history.intervals import distance, distance_bound, mean_bound, share_bound
from tasks.history.values import ACCEPTANCE, DOLLARS, FIRST, Distribution, Mean, Point, Share

ERROR: Final = 0.02  # probability of a false mark in a whole history
HORIZON: Final = 30  # runs
MOST_TOGETHER: Final = 3  # of the last runs, compared as one with those before
SHARE_BOUND: Final = 0.02  # 2 points
MEAN_BOUND: Final = 0.05  # of the mean before
FACT_BOUND: Final = 0.1  # Kolmogorov-Smirnov distance
FEWEST: Final = 20  # dialogues that a mean or a distribution is compared from
HEADLINES: Final = frozenset({ACCEPTANCE, FIRST})  # they share half of `ERROR`
_ROUNDING: Final = 1e-12  # 0.92 - 0.90 is not above 0.02

Value = Share | Mean | Distribution
Key = tuple[str, str]  # kind and name of a figure


@dataclass(frozen=True)
class Change:
    """A figure that left its level.

    Attributes:
        run_id: the run at which it was seen.
        kind: `share`, `mean` or `fact`.
        before: share or mean of the runs before; None for a fact.
        now: share or mean of this run and those taken together with it; None for a fact.
        size: difference of shares or means, or the Kolmogorov-Smirnov distance.
        bound: what `size` had to exceed.
        runs: how many runs, up to this one, were taken together.
    """

    run_id: str
    kind: str
    name: str
    before: float | None
    now: float | None
    size: float
    bound: float
    runs: int = 1


@dataclass(frozen=True)
class Compared:
    """A point beside the runs before it: its marks, and the distance of each of its facts."""

    changes: tuple[Change, ...]
    drift: Mapping[str, float]


@dataclass(frozen=True)
class _Level:
    """A figure's values since it last changed.

    Attributes:
        earlier: all but the recent ones, added up; None where there are none.
        recent: the newest, at most as many as are taken together with the next one.
    """

    earlier: Value | None
    recent: tuple[Value, ...]

    def followed_by(self, value: Value) -> _Level:
        """Return the level with one more value."""
        recent = (*self.recent, value)
        if len(recent) < MOST_TOGETHER:
            return _Level(self.earlier, recent)
        oldest = recent[0]
        earlier = oldest if self.earlier is None else _added(self.earlier, oldest)
        return _Level(earlier, recent[1:])

    def splits(self, value: Value) -> Iterator[tuple[Value, Value]]:
        """Yield what to compare once `value` follows: the runs before, and the last 1, 2 and 3."""
        values = (*self.recent, value)
        for runs in range(1, len(values) + 1):
            before = values[:-runs] if self.earlier is None else (self.earlier, *values[:-runs])
            if before:
                yield reduce(_added, before), reduce(_added, values[-runs:])


def change_text(change: Change) -> str:
    """Return a change as one line that a person reads."""
    together = f", last {change.runs} runs" if change.runs > 1 else ""
    if change.before is None or change.now is None:
        moved = f"{change.size:.2f} (bound {change.bound:.2f}{together})"
        return f"{change.name}: distribution moved by {moved}"
    if change.kind == "share":
        points = f"{100 * change.size:+.1f} points, bound {100 * change.bound:.1f}{together}"
        return f"{change.name}: {change.before:.1%} -> {change.now:.1%} ({points})"
    digits = 6 if change.name == DOLLARS else 1
    shown = f"{change.before:,.{digits}f} -> {change.now:,.{digits}f}"
    size = f"{change.size:+,.{digits}f}, bound {change.bound:,.{digits}f}{together}"
    return f"{change.name}: {shown} ({size})"


def compare(points: Sequence[Point]) -> list[Compared]:
    """Return for each point, in order of time, what changed. The first has nothing to differ from.

    What is said of a point does not depend on later ones.
    """
    levels: dict[Key, _Level] = {}
    return [_compare_point(point, levels) for point in points]


def _compare_point(point: Point, levels: dict[Key, _Level]) -> Compared:
    """Return what changed at a point, and add its figures to the levels."""
    values = comparable(point)
    changes: list[Change] = []
    drift: dict[str, float] = {}
    for key, value in values.items():
        level = levels.get(key)
        if level is None:
            levels[key] = _Level(None, (value,))
            continue
        splits = list(level.splits(value))
        before, now = splits[0]
        if isinstance(before, Distribution) and isinstance(now, Distribution):
            drift[key[1]] = distance(before, now)
        change = _first_change(point.run_id, key, splits, _alpha(key, values))
        if change is None:
            levels[key] = level.followed_by(value)
        else:
            changes.append(change)
            levels[key] = _level_of((*level.recent, value)[-change.runs :])
    return Compared(tuple(changes), drift)


def _level_of(values: Sequence[Value]) -> _Level:
    """Return the level that some runs in a row begin."""
    level = _Level(None, ())
    for value in values:
        level = level.followed_by(value)
    return level


def comparable(point: Point) -> dict[Key, Value]:
    """Return the figures that can be compared, by kind and name.

    A run that ended early lacks repairs that others made: its acceptance is not compared, that of
    its first attempts is.
    """
    figures = point.figures
    values: dict[Key, Value] = {}
    for name, share in figures.shares.items():
        if share.total:
            values["share", name] = share
    for name, mean in figures.means.items():
        if mean.total >= FEWEST:
            values["mean", name] = mean
    for name, fact in figures.facts.items():
        if fact.dialogues >= FEWEST:
            values["fact", name] = fact
    if point.state != "completed":
        values.pop(("share", ACCEPTANCE), None)
    return values


def _alpha(key: Key, values: Mapping[Key, Value]) -> float:
    """Return one comparison's part of the probability of a false mark.

    Half goes to the headlines; a figure's part is divided among its comparisons.
    """
    figures = len(values)
    if key[0] == "share" and key[1] in HEADLINES:
        figures = len(HEADLINES)
    return ERROR / HORIZON / 2 / figures / MOST_TOGETHER


def _first_change(
    run_id: str, key: Key, splits: Sequence[tuple[Value, Value]], alpha: float
) -> Change | None:
    """Return the change that the fewest runs taken together show, or None."""
    for runs, (before, now) in enumerate(splits, start=1):
        change = _change(key, before, now, alpha)
        if change is not None:
            return replace(change, run_id=run_id, runs=runs)
    return None


def _change(key: Key, before: Value, now: Value, alpha: float) -> Change | None:
    """Return the change between two values of a figure if it is beyond its bound, without a run."""
    match before, now:
        case Share(), Share():
            old = before.count / before.total
            new = now.count / now.total
            bound = max(SHARE_BOUND, share_bound(before, now, alpha))
        case Mean(), Mean():
            old = before.value
            new = now.value
            bound = max(MEAN_BOUND * abs(old), mean_bound(before, now, alpha))
        case Distribution(), Distribution():
            gap = distance(before, now)
            bound = max(FACT_BOUND, distance_bound(before, now, alpha))
            return Change("", *key, None, None, gap, bound) if gap > bound else None
        case _:
            return None
    size = new - old
    if abs(size) <= bound + _ROUNDING:
        return None
    return Change("", *key, old, new, size, bound)


def _added(before: Value, now: Value) -> Value:
    """Return two values of one figure taken together."""
    match before, now:
        case Share(), Share():
            return before + now
        case Mean(), Mean():
            return before + now
        case Distribution(), Distribution():
            return before + now
    return now
