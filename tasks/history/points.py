"""The runs of a domain in order of time, as points: their figures and what changed between them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import duckdb

from tasks.history.values import Distribution, Figures, Mean, Point, Share
from tasks.warehouse import Rows, rows

MOST_CHANGES: Final = 12  # named at a point; more are counted
_LONGEST: Final = 80  # characters of a setting's value
_RUNS: Final = "SELECT * FROM runs SEMI JOIN run_figures USING (run_id) ORDER BY started_at, run_id"


def read_points(con: duckdb.DuckDBPyConnection) -> list[Point]:
    """Return the runs that asked for something, the oldest first.

    A warehouse of an earlier version has none until its next build.
    """
    if not rows(con, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'run_figures'"):
        return []
    figures: dict[str, Rows] = defaultdict(list)
    for row in rows(con, "SELECT * FROM run_figures ORDER BY ALL"):
        figures[row["run_id"]].append(row)
    points: list[Point] = []
    before: dict[str, Any] | None = None
    for run in rows(con, _RUNS):
        point = _point(run, _figures(figures[run["run_id"]]))
        changes = tuple(_settings_changes(before, run)) if before else ()
        points.append(replace(point, settings_changes=changes))
        before = run
    return points


def _point(run: Mapping[str, Any], figures: Figures) -> Point:
    return Point(
        run["run_id"],
        run["started_at"],
        run["state"],
        run["config_hash"],
        run["code_version"],
        figures,
    )


def _figures(stored: Rows) -> Figures:
    shares: dict[str, Share] = {}
    means: dict[str, Mean] = {}
    amounts: dict[str, float] = {}
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    dialogues: dict[str, int] = {}
    for row in stored:
        name, value = row["name"], row["value"]
        match row["kind"]:
            case "share":
                shares[name] = Share(int(value), row["total"])
            case "mean":
                means[name] = Mean(value, row["spread"], row["total"])
            case "amount":
                amounts[name] = value
            case "fact":
                counts[name][row["bin"]] = int(value)
                dialogues[name] = row["total"]
    facts = {name: Distribution(bins, dialogues[name]) for name, bins in counts.items()}
    return Figures(shares, means, facts, amounts)


def _settings_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words what differs between two runs: settings, sources, code."""
    old, new = (dict(_flat(_json(run["config"]))) for run in (before, now))
    named = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    for name in named[:MOST_CHANGES]:
        yield f"{name}: {_shown(old, name)} -> {_shown(new, name)}"
    if len(named) > MOST_CHANGES:
        yield f"{len(named) - MOST_CHANGES} more settings"
    if _json(before["sources"]) != _json(now["sources"]):
        yield "content of the source files"
    if before["code_version"] != now["code_version"]:
        yield f"code: {before['code_version']} -> {now['code_version']}"


def _json(text: str | None) -> dict[str, Any]:
    """Return a JSON object; empty where there is none, or it cannot be read."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _flat(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _shown(settings: Mapping[str, Any], name: str) -> str:
    if name not in settings:
        return "unset"
    text = json.dumps(settings[name], ensure_ascii=False).strip('"')
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
