"""Which of the thresholds in a domain's settings a run is beyond."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.history.changes import Change, change_text
from tasks.history.values import ACCEPTANCE, RULE, Point
from tasks.settings import Alert


def broken_thresholds(point: Point, changes: tuple[Change, ...], limits: Alert) -> Iterator[str]:
    """Yield one line for each threshold that a run is beyond.

    A figure that was not measured is beyond none.
    """
    figures = point.figures
    accepted = figures.shares.get(ACCEPTANCE)
    if accepted and accepted.value is not None and _below(accepted.value, limits.acceptance_below):
        yield f"acceptance {accepted.value:.1%} is below {limits.acceptance_below:.1%}"
    dollars = figures.amounts.get("dollars", 0.0)
    if _above(dollars, limits.cost_above_usd):
        yield f"cost of ${dollars:,.4f} is above ${limits.cost_above_usd:,.4f}"
    minutes = figures.amounts.get("seconds", 0.0) / 60
    if _above(minutes, limits.minutes_above):
        yield f"{minutes:,.1f} minutes are above {limits.minutes_above:,.1f}"
    for rule, most in limits.rules_above.items():
        broken = figures.shares.get(f"{RULE}{rule}")
        if broken and broken.value is not None and broken.value > most:
            yield f"rule {rule} broken by {broken.value:.1%} of first attempts is above {most:.1%}"
    if limits.changes:
        yield from (change_text(change) for change in changes)


def _below(value: float, least: float | None) -> bool:
    return least is not None and value < least


def _above(value: float, most: float | None) -> bool:
    return most is not None and value > most
