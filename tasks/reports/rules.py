"""The rules that dialogues broke, and those that none did, each with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.funnel import Rows
from tasks.quality import Suite


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
            unbroken = {"attempt": None, "rule": name, "severity": rule.severity, "dialogues": 0, "percent": 0.0}
            table.append({**unbroken, "suite": suite, "says": rule.says})
    return table
