"""The report of a domain: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from markupsafe import Markup

from tasks.files import write_atomically
from tasks.goals import Goals, load_goals
from tasks.quality import Suite, load_suites
from tasks.reports.bias import RatingBias, rating_bias
from tasks.reports.builds import LastBuild, last_build
from tasks.reports.catalogue import Catalogue, catalogue
from tasks.reports.drawing import GROUP_NAMES, charts_of
from tasks.reports.funnel import Funnel, Spending, funnel, spending
from tasks.reports.popularity import Popularity, popularity
from tasks.reports.samples import Samples, samples
from tasks.reports.shapes import GoalUse, Lengths, Templates, goal_use, lengths, templates
from tasks.settings import Home
from tasks.statistics import Statistics, statistics
from tasks.warehouse import read_warehouse
from tasks.web import SHARED, environment

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Findings:
    """All that a report shows, as numbers and texts; nothing of how it looks."""

    build: LastBuild
    goals: Goals
    funnel: Funnel
    spending: Spending
    statistics: Statistics
    lengths: Lengths
    goal_use: GoalUse
    templates: Templates
    ratings: RatingBias
    popularity: Popularity
    catalogue: Catalogue
    samples: Samples
    data_docs: bool  # whether there are Data Docs to lead to


def write_report(con: duckdb.DuckDBPyConnection, home: Home, domain: str) -> Path:
    """Write a domain's report to `home.data/reports/<domain>/index.html`, whole or not at all, and return its path.

    Only reads the warehouse, on a read-only connection too. The same warehouse gives the same bytes.

    Raises:
        UserError: suites or goals are not as they should be.
    """
    page = home.data / "reports" / domain / "index.html"
    return write_atomically(page, render_report(gather(con, home, domain)))


def report_from_warehouse(home: Home, domain: str) -> Path:
    """Write a domain's report from its warehouse as it stands. Raises UserError when there is no such domain or it is not built."""
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        return write_report(con, home, domain)


def gather(con: duckdb.DuckDBPyConnection, home: Home, domain: str) -> Findings:
    """Ask the warehouse for all that a report shows. Raises UserError."""
    build = last_build(con, home, domain)
    goals = load_goals(home)
    quality = build.domain.quality
    suites: tuple[Suite, ...] = load_suites(home, quality.suites, quality.severities)
    return Findings(
        build=build,
        goals=goals,
        funnel=funnel(con, suites),
        spending=spending(con, build.run_id),
        statistics=statistics(con),
        lengths=lengths(con),
        goal_use=goal_use(con, goals),
        templates=templates(con),
        ratings=rating_bias(con, build.domain),
        popularity=popularity(con, build.domain),
        catalogue=catalogue(con),
        samples=samples(con, goals),
        data_docs=(home.data_docs(domain) / "index.html").is_file(),
    )


def render_report(findings: Findings) -> str:
    """Return the page. Everything from reviews and models is escaped, its control characters and direction marks are spelled out."""
    names = findings.goals.worded(findings.build.domain.noun, findings.build.domain.verb)
    shown: dict[str, Any] = {
        "found": findings,
        "charts": charts_of(findings.lengths, findings.goal_use, findings.templates, findings.ratings, findings.popularity),
        "group_names": GROUP_NAMES,
        "goal_names": {goal: value.name for goal, value in names.items()},
        "style": Markup(_style()),  # noqa: S704 - our own files
    }
    return environment(HERE / "pages").get_template("report.html").render(**shown)


def _style() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (SHARED / "static" / "base.css", HERE / "static" / "report.css"))
