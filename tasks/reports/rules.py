"""The rules that dialogues broke, and those that none did, each with its sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from tasks.funnel import Rows
from tasks.quality import Suite
from tasks.warehouse import rows

EXAMPLES = 3
_EXAMPLES = """
WITH broken AS (SELECT DISTINCT attempt, rule, dialogue_id FROM rejections),
placed AS (
    SELECT attempt, rule, dialogue_id, row_number() OVER (PARTITION BY attempt, rule ORDER BY brief_order) AS place
    FROM broken JOIN briefs USING (dialogue_id)
)
SELECT attempt, rule, list(dialogue_id ORDER BY place) AS ids FROM placed WHERE place <= $examples GROUP BY attempt, rule
"""
Examples = Mapping[tuple[int, str], Sequence[str]]
"""The first dialogues that broke a rule, by attempt and rule."""


def rule_examples(con: duckdb.DuckDBPyConnection) -> Examples:
    """Return up to three dialogues for each attempt and rule that was broken, in the order of the briefs."""
    return {(row["attempt"], row["rule"]): row["ids"] for row in rows(con, _EXAMPLES, {"examples": EXAMPLES})}


def rule_table(broken: Rows, suites: Sequence[Suite], examples: Examples) -> Rows:
    """Return one row per attempt and broken rule, then one for each rule nobody broke.

    Args:
        broken: as `Funnel.rules` holds them.
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
