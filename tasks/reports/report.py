"""The report of a domain: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
from markupsafe import Markup

from tasks.briefs import REASONS
from tasks.funnel import Funnel, Rows, Spending, read_funnel, spending
from tasks.goals import Goals, load_goals
from tasks.quality import Suite, load_suites
from tasks.reports.bias import RatingBias, rating_bias
from tasks.reports.builds import LastBuild, last_build
from tasks.reports.catalogue import Catalogue, catalogue
from tasks.reports.figures import GROUP_NAMES, charts_of
from tasks.reports.popularity import Popularity, popularity
from tasks.reports.samples import Samples, samples
from tasks.reports.structure_stats import GoalUse, Lengths, Templates, goal_use, lengths, templates
from tasks.settings import Home
from tasks.statistics import Statistics, warehouse_statistics
from tasks.warehouse import read_warehouse
from tasks.web import SHARED, environment


def rule_table(broken: Rows, suites: Sequence[Suite]) -> Rows:
    """Return one row per attempt and broken rule, then one for each rule nobody broke.

    Args:
        broken: as `Funnel.rules` holds them.
        suites: the suites in force; a rule they no longer have has no suite and no sentence.
    """
    known = {rule.rule: (suite.name, rule) for suite in suites for rule in suite.rules}
    table: Rows = []
    for row in broken:
        suite, rule = known.get(row["rule"], ("", None))
        table.append({**row, "suite": suite, "says": rule.says if rule else ""})
    seen = {row["rule"] for row in broken}
    for name, (suite, rule) in known.items():
        if name not in seen:
            unbroken = {
                "attempt": None,
                "rule": name,
                "severity": rule.severity,
                "dialogues": 0,
                "percent": 0.0,
            }
            table.append({**unbroken, "suite": suite, "says": rule.says})
    return table


HERE = Path(__file__).resolve().parent
STAGE_NOTES: Final[Mapping[str, str]] = {
    "source lines": "of the review files, without blank ones",
    "usable reviews": "the first review of each user and item, on lines that can be read",
    "reviews of the right length": "after irregular tokens are dropped and words counted",
    "reviews in the core": "user and item both have enough of them",
    "preferences": "LIKES, DISLIKES and MIGHT_LIKES: core reviews with a clear rating",
    "of them MIGHT_LIKES": "the last share of each user's likes: one dialogue each at most",
    "briefs": "dialogues planned",
    "briefs answered": "the model's answer is in the warehouse",
    "accepted dialogues": "no rule that rejects was broken",
}


@dataclass(frozen=True)
class Findings:
    """All that a report shows, as numbers and texts; nothing of how it looks."""

    build: LastBuild
    goals: Goals
    funnel: Funnel
    rules: Rows  # see `rule_table`
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

    Only reads the warehouse, on a read-only connection too. The same warehouse gives the same
    bytes.

    Raises:
        UserError: suites or goals are not as they should be.
    """
    return publish_report(home, domain, draft_report(con, home, domain))


def report_path(home: Home, domain: str) -> Path:
    """Return where a domain's report is."""
    return home.data / "reports" / domain / "index.html"


def draft_report(con: duckdb.DuckDBPyConnection, home: Home, domain: str) -> Path:
    """Write a domain's report beside its place, where nobody looks, and return the path; for `publish_report`. Raises UserError."""
    page = report_path(home, domain)
    page.parent.mkdir(parents=True, exist_ok=True)
    draft = page.with_name(f".{page.name}.{os.getpid()}")
    draft.write_text(render_report(gather(con, home, domain)), encoding="utf-8")
    return draft


def publish_report(home: Home, domain: str, draft: Path) -> Path:
    """Move a report's draft into its place and return that."""
    page = report_path(home, domain)
    os.replace(draft, page)
    return page


def report_from_warehouse(home: Home, domain: str) -> Path:
    """Write a domain's report from its warehouse as it stands.

    Raises UserError when there is no such domain or it is not built.
    """
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        return write_report(con, home, domain)


def gather(con: duckdb.DuckDBPyConnection, home: Home, domain: str) -> Findings:
    """Ask the warehouse for all that a report shows. Raises UserError."""
    build = last_build(con, home, domain)
    goals = load_goals(home)
    quality = build.domain.quality
    suites: tuple[Suite, ...] = load_suites(home, quality.suites, quality.severities)
    counted = read_funnel(con)
    return Findings(
        build=build,
        goals=goals,
        funnel=counted,
        rules=rule_table(counted.rules, suites),
        spending=spending(con, build.run_id),
        statistics=warehouse_statistics(con),
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
    """Return the page.

    Everything from reviews and models is escaped, its control characters and direction marks are
    spelled out.
    """
    names = findings.goals.worded(findings.build.domain.noun, findings.build.domain.verb)
    shown: dict[str, Any] = {
        "found": findings,
        "charts": charts_of(
            findings.lengths,
            findings.goal_use,
            findings.templates,
            findings.ratings,
            findings.popularity,
        ),
        "group_names": GROUP_NAMES,
        "stage_notes": STAGE_NOTES,
        "reasons": REASONS,
        "goal_names": {goal: value.name for goal, value in names.items()},
        "style": Markup(_style()),  # noqa: S704 - our own files
    }
    return environment(HERE / "pages").get_template("report.html").render(**shown)


def _style() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in (SHARED / "static" / "base.css", HERE / "static" / "report.css")
    )
