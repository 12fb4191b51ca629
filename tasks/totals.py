"""Totals of one domain's warehouse that more than one view shows: how briefs ended, which rules fell, what it cost."""

from __future__ import annotations

from typing import Any

import duckdb

VERDICTS = ("accepted", "rejected", "failed", "unasked")


def verdict_rows(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return one row per verdict: briefs and their share in percent; the shares add up to 100."""
    found = dict(con.execute("SELECT verdict, count(*) FROM verdicts GROUP BY verdict").fetchall())
    total = sum(found.values())
    return [{"verdict": name, "briefs": found.get(name, 0), "percent": 100.0 * found.get(name, 0) / (total or 1)} for name in VERDICTS]


def rule_rows(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return one row per attempt, rule and severity: dialogues that broke it. A dialogue may break several."""
    rows = con.execute(
        "SELECT attempt, rule, severity, count(DISTINCT dialogue_id) FROM rejections SEMI JOIN briefs USING (dialogue_id) "
        "GROUP BY ALL ORDER BY attempt, 4 DESC, rule"
    ).fetchall()
    return [dict(zip(("attempt", "rule", "severity", "dialogues"), row, strict=True)) for row in rows]


def cost_totals(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, Any]:
    """Return what the transcripts of the current briefs cost, and what this run added to it.

    Dollars are None where no answer's price is known; `unpriced` counts the answers left out of the sum.
    """
    row = con.execute(_COST, [run_id]).fetchall()[0]
    names = ("answers", "unpriced", "prompt tokens", "completion tokens", "dollars", "answers this run", "dollars this run", "accepted")
    cost = dict(zip(names, row, strict=True))
    accepted = cost.pop("accepted")
    dollars = cost["dollars"]
    cost["dollars per accepted dialogue"] = dollars / accepted if dollars is not None and accepted else None
    return cost


_COST = """
WITH keys AS (
    SELECT DISTINCT unnest(request_keys) AS request_key FROM transcripts SEMI JOIN briefs USING (dialogue_id)
),
paid AS (SELECT r.* FROM responses r SEMI JOIN keys USING (request_key))
SELECT count(*), count(*) FILTER (cost_usd IS NULL), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd),
       count(*) FILTER (run_id = $1), sum(cost_usd) FILTER (run_id = $1),
       (SELECT count(*) FROM verdicts WHERE verdict = 'accepted')
FROM paid
"""
