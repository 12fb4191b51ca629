"""The page of a domain's trends: charts over its runs, what changed at which, a table.

It is one file beside the runs' pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import duckdb
from markupsafe import Markup

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.history.changes import (
    ERROR,
    FACT_BOUND,
    HORIZON,
    MEAN_BOUND,
    MOST_TOGETHER,
    SHARE_BOUND,
    change_text,
)
from tasks.history.overview import History, history_rows, read_history
from tasks.history.values import ACCEPTANCE, DOLLARS, FIRST, RULE, TOKENS, Point
from tasks.reports import (
    HISTORY,
    Series,
    list_runs,
    page_style,
    page_templates,
    reports_folder,
    trend,
)
from tasks.settings import Home
from tasks.warehouse import read_warehouse

_MOST_LINES: Final = 4  # colours of a chart
_BOUNDS: Final = {
    "share": SHARE_BOUND,
    "mean": MEAN_BOUND,
    "fact": FACT_BOUND,
    "error": ERROR,
    "horizon": HORIZON,
    "together": MOST_TOGETHER,
}


def write_history(con: duckdb.DuckDBPyConnection, home: Home, domain: str) -> History:
    """Write the page of a warehouse's history, and return it.

    Raises UserError when it cannot be written.
    """
    history = read_history(con, domain)
    page = history_page(home, domain)
    reports = {run.run_id: f"{run.name}.html" for run in list_runs(home, domain)}
    text = render_history(history, reports)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(page, text)
    except OSError as error:
        raise UserError(f"the page {page} cannot be written: {error.strerror}") from None
    return history


def history_from_warehouse(home: Home, domain: str) -> Path:
    """Write the page from a domain's warehouse as it is, and return it. Raises UserError."""
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        write_history(con, home, domain)
    return history_page(home, domain)


def history_page(home: Home, domain: str) -> Path:
    """Return where a domain's page of trends is."""
    return reports_folder(home, domain) / HISTORY


def render_history(history: History, reports: dict[str, str]) -> str:
    """Return the page, everything escaped.

    `reports` names the report of each run that has one, by run id.
    """
    pairs = zip(history_rows(history), history.points, history.compared, strict=True)
    runs = [
        {
            "row": row,
            "point": point,
            "report": reports.get(point.run_id),
            "changes": [change_text(change) for change in compared.changes],
        }
        for row, point, compared in pairs
    ]
    shown = {
        "name": history.domain,
        "runs": runs[::-1],
        "charts": _charts(history),
        "bounds": _BOUNDS,
        "style": page_style("report.css"),
    }
    templates = page_templates(Path(__file__).resolve().parent / "pages")
    return templates.get_template(HISTORY).render(**shown)


def _charts(history: History) -> dict[str, Markup]:
    # One run is no trend.
    if len(history.points) < 2:
        return {}
    marked = {name: _marked(history, name) for name in (ACCEPTANCE, FIRST, TOKENS, DOLLARS)}
    drawn = {
        "acceptance": trend(
            "acceptance",
            "Accepted dialogues by run",
            [
                Series(name, _shares(history, name), marked[name], _band(history, name))
                for name in (ACCEPTANCE, FIRST)
            ],
            y="% of dialogues",
        ),
        "rules": trend("rules", "Rules broken by run", _rules(history), y="% of first attempts"),
        "cost": trend(
            "cost",
            "Dollars by run",
            [Series("dollars", _amounts(history, "dollars"))],
            y="US dollars",
        ),
        "tokens": trend(
            "tokens",
            "Tokens by run",
            [Series(TOKENS, _means(history, TOKENS), marked[TOKENS])],
            y="tokens",
        ),
        "time": trend(
            "time", "Minutes by run", [Series("minutes", _minutes(history))], y="minutes"
        ),
        "drift": trend(
            "drift", "Distance of the facts by run", _facts(history), y="distance", limit=FACT_BOUND
        ),
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}


def _marked(history: History, name: str) -> frozenset[int]:
    return frozenset(
        place
        for place, compared in enumerate(history.compared)
        if any(change.name == name for change in compared.changes)
    )


def _over(history: History, figure: Callable[[Point], float | None]) -> tuple[float | None, ...]:
    return tuple(figure(point) for point in history.points)


def _shares(history: History, name: str) -> tuple[float | None, ...]:
    def percent(point: Point) -> float | None:
        share = point.figures.shares.get(name)
        return None if share is None or share.value is None else 100 * share.value

    return _over(history, percent)


def _band(history: History, name: str) -> tuple[tuple[float, float], ...]:
    """Return the 95 % interval of a share at each run, in percent."""
    band = []
    for point in history.points:
        share = point.figures.shares.get(name)
        if share is None or not share.total:
            band.append((math.nan, math.nan))
            continue
        interval = share.interval()
        band.append((100 * interval.low, 100 * interval.high))
    return tuple(band)


def _means(history: History, name: str) -> tuple[float | None, ...]:
    def mean(point: Point) -> float | None:
        measured = point.figures.means.get(name)
        return None if measured is None else measured.value

    return _over(history, mean)


def _amounts(history: History, name: str) -> tuple[float | None, ...]:
    return _over(history, lambda point: point.figures.amounts.get(name))


def _minutes(history: History) -> tuple[float | None, ...]:
    return tuple(
        None if seconds is None else seconds / 60 for seconds in _amounts(history, "seconds")
    )


def _rules(history: History) -> Sequence[Series]:
    """Return the rules that changed most often, then those broken most."""
    names: set[str] = set()
    for point in history.points:
        names |= {name for name in point.figures.shares if name.startswith(RULE)}
    values = {name: _shares(history, name) for name in names}

    def weight(name: str) -> tuple[int, float, str]:
        return (
            -len(_marked(history, name)),
            -max((value or 0.0 for value in values[name]), default=0.0),
            name,
        )

    chosen = sorted(names, key=weight)[:_MOST_LINES]
    return [
        Series(name.removeprefix(RULE), values[name], _marked(history, name))
        for name in chosen
        if any(values[name])
    ]


def _distances(history: History, fact: str) -> tuple[float | None, ...]:
    return tuple(compared.drift.get(fact) for compared in history.compared)


def _facts(history: History) -> Sequence[Series]:
    """Return the facts whose distribution moved farthest."""
    names: set[str] = set()
    for compared in history.compared:
        names |= compared.drift.keys()
    values = {name: _distances(history, name) for name in names}

    def weight(name: str) -> tuple[float, str]:
        return -max(value or 0.0 for value in values[name]), name

    chosen = sorted(names, key=weight)[:_MOST_LINES]
    return [Series(name, values[name], _marked(history, name)) for name in chosen]
