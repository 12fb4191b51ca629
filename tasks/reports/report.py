"""The report of a domain: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb

from tasks.briefs import REASONS
from tasks.funnel import Funnel, Rows, Spending, read_funnel, spending
from tasks.goals import Goals, load_goals
from tasks.quality import PUBLISHED, GateRecord, Suite, load_suites, read_gates
from tasks.reports.bias import RatingBias, rating_bias
from tasks.reports.builds import LastBuild, last_build, main_settings
from tasks.reports.calibrated import Calibrated, calibrated
from tasks.reports.catalogue import Catalogue, catalogue
from tasks.reports.figures import GROUP_NAMES, charts_of
from tasks.reports.page_parts import page_style, page_templates, report_links
from tasks.reports.popularity import Popularity, popularity
from tasks.reports.samples import Samples, samples
from tasks.reports.structure_stats import GoalUse, Lengths, Templates, goal_use, lengths, templates
from tasks.settings import Home, ReadYaml, read_yaml
from tasks.statistics import Statistics, warehouse_statistics
from tasks.warehouse import rows

EXAMPLES = 3
_EXAMPLES = """
WITH broken AS (SELECT DISTINCT attempt, rule, dialogue_id FROM rejections),
placed AS (
    SELECT attempt, rule, dialogue_id,
           row_number() OVER (PARTITION BY attempt, rule ORDER BY brief_order) AS place
    FROM broken JOIN briefs USING (dialogue_id)
)
SELECT attempt, rule, list(dialogue_id ORDER BY place) AS ids
FROM placed WHERE place <= $examples GROUP BY attempt, rule
"""
Examples = Mapping[tuple[int, str], Sequence[str]]
"""The first dialogues that broke a rule, by attempt and rule."""


def rule_examples(con: duckdb.DuckDBPyConnection) -> Examples:
    """Return up to three dialogues for each attempt and broken rule, in the order of the briefs."""
    examples = rows(con, _EXAMPLES, {"examples": EXAMPLES})
    return {(row["attempt"], row["rule"]): row["ids"] for row in examples}


def rule_table(broken: Rows, suites: Sequence[Suite], examples: Examples) -> Rows:
    """Return one row per attempt and broken rule, then one for each rule that none broke.

    Args:
        broken: as `Funnel.rules` has them.
        suites: the suites in force; a rule they no longer have has no suite and no sentence.
        examples: dialogues that broke each rule.
    """
    known = {rule.rule: (suite.name, rule) for suite in suites for rule in suite.rules}
    table: Rows = []
    for row in broken:
        suite, rule = known.get(row["rule"], ("", None))
        ids = examples.get((row["attempt"], row["rule"]), [])
        table.append({**row, "suite": suite, "says": rule.says if rule else "", "examples": ids})
    seen = {row["rule"] for row in broken}
    for name, (suite, rule) in known.items():
        if name not in seen:
            unbroken: dict[str, Any] = {
                "attempt": None,
                "rule": name,
                "severity": rule.severity,
                "dialogues": 0,
                "root_causes": 0,
                "percent": 0.0,
                "examples": [],
            }
            table.append({**unbroken, "suite": suite, "says": rule.says})
    return table


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
    calibrated: Calibrated
    gates: list[GateRecord]
    spending: Spending
    statistics: Statistics
    lengths: Lengths
    goal_use: GoalUse
    templates: Templates
    ratings: RatingBias
    popularity: Popularity
    catalogue: Catalogue
    samples: Samples


def gather(
    con: duckdb.DuckDBPyConnection, home: Home, domain: str, read: ReadYaml = read_yaml
) -> Findings:
    """Ask the warehouse for all that a report shows; `read` reads goals and suites.

    Raises UserError.
    """
    build = last_build(con, home, domain)
    goals = load_goals(home, read=read)
    quality = build.domain.quality
    suites: tuple[Suite, ...] = load_suites(home, quality.suites, quality.severities, read)
    counted = read_funnel(con)
    return Findings(
        build=build,
        goals=goals,
        funnel=counted,
        rules=rule_table(counted.rules, suites, rule_examples(con)),
        calibrated=calibrated(con, suites),
        gates=read_gates(con),
        spending=spending(con, build.run_id),
        statistics=warehouse_statistics(con),
        lengths=lengths(con),
        goal_use=goal_use(con, goals),
        templates=templates(con),
        ratings=rating_bias(con, build.domain),
        popularity=popularity(con, build.domain),
        catalogue=catalogue(con),
        samples=samples(con, goals),
    )


def render_report(findings: Findings) -> str:
    """Return the page.

    Everything from reviews and models is escaped, its control characters and direction marks are
    spelled out.
    """
    names = findings.goals.worded(findings.build.domain.noun, findings.build.domain.verb)
    shown: dict[str, Any] = {
        "found": findings,
        "build": findings.build,
        "domain": findings.build.domain,
        "main_settings": main_settings(findings.build.domain),
        "links": report_links(findings.build),
        "judged_at": {gate.place: gate.judged_at for gate in findings.gates},
        "published_at": _published_at(findings.gates),
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
        "style": page_style("report.css"),
    }
    return page_templates().get_template("report.html").render(**shown)


def _published_at(gates: Sequence[GateRecord]) -> datetime | None:
    for gate in gates:
        if gate.gate == PUBLISHED:
            return gate.judged_at
    return None
