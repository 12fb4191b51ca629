"""A domain's history in rows: what the terminal, the run's artifact and the page's table show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from tasks.history.changes import Compared, change_text, compare
from tasks.history.points import read_points
from tasks.history.values import ACCEPTANCE, FIRST, TOKENS, Point
from tasks.warehouse import Rows


@dataclass(frozen=True)
class History:
    """The runs of a domain that asked for something, the oldest first, and what changed at each."""

    domain: str
    points: tuple[Point, ...]
    compared: tuple[Compared, ...]


def read_history(con: duckdb.DuckDBPyConnection, domain: str) -> History:
    """Return the history that a domain's warehouse holds. Nothing is written."""
    points = read_points(con)
    return History(domain, tuple(points), tuple(compare(points)))


def history_rows(history: History) -> Rows:
    """Return one row a run, the oldest first: percentages 0 to 100, dollars, minutes."""
    pairs = zip(history.points, history.compared, strict=True)
    return [_row(number, point, compared) for number, (point, compared) in enumerate(pairs, 1)]


def _row(number: int, point: Point, compared: Compared) -> dict[str, Any]:
    figures, amounts = point.figures, point.figures.amounts
    accepted = figures.shares.get(ACCEPTANCE)
    tokens = figures.means.get(TOKENS)
    seconds = amounts.get("seconds")
    return {
        "#": number,
        "started": f"{point.started_at:%Y-%m-%d %H:%M}",
        "state": point.state,
        "asked": accepted.total if accepted else 0,
        "accept %": _share(point, ACCEPTANCE),
        "95 % interval": _interval(point),
        "first %": _share(point, FIRST),
        "dollars": amounts.get("dollars"),
        "tokens": round(tokens.value) if tokens else None,
        "minutes": None if seconds is None else seconds / 60,
        "drift": max(compared.drift.values(), default=None),
        "marks": len(compared.changes),
    }


def _share(point: Point, name: str) -> float | None:
    share = point.figures.shares.get(name)
    return None if share is None or share.value is None else 100 * share.value


def _interval(point: Point) -> str:
    share = point.figures.shares.get(ACCEPTANCE)
    if share is None or not share.total:
        return ""
    interval = share.interval()
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def change_lines(history: History) -> list[str]:
    """Return what changed, a line each: marked figures, and settings, sources and code."""
    lines: list[str] = []
    pairs = zip(history.points, history.compared, strict=True)
    for number, (point, compared) in enumerate(pairs, start=1):
        lines += [f"#{number} changed: {change_text(change)}" for change in compared.changes]
        lines += [f"#{number} with: {change}" for change in point.settings_changes]
    return lines


def history_json(history: History) -> dict[str, Any]:
    """Return the whole history as JSON data."""
    pairs = zip(history.points, history.compared, strict=True)
    return {
        "domain": history.domain,
        "runs": [_as_json(point, compared) for point, compared in pairs],
    }


def _as_json(point: Point, compared: Compared) -> dict[str, Any]:
    figures = point.figures
    return {
        "run_id": point.run_id,
        "started_at": f"{point.started_at:%Y-%m-%dT%H:%M:%S}Z",
        "state": point.state,
        "config_hash": point.config_hash,
        "code_version": point.code_version,
        "settings_changes": list(point.settings_changes),
        "shares": {name: _share_json(point, name) for name in figures.shares},
        "means": {name: asdict(mean) for name, mean in figures.means.items()},
        "amounts": dict(figures.amounts),
        "drift": dict(compared.drift),
        "changes": [{**asdict(change), "text": change_text(change)} for change in compared.changes],
    }


def _share_json(point: Point, name: str) -> Mapping[str, Any]:
    share = point.figures.shares[name]
    if not share.total:
        return {**asdict(share), "value": None, "low": None, "high": None}
    return {**asdict(share), **asdict(share.interval())}
