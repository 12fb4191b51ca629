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

    Tokens are prompt and completion together. "Discard-only" is what an accepted dialogue would have cost had each rejected one been
    thrown away and a new first attempt been bought, as the paper did: all first attempts over the dialogues accepted at the first.
    Dollars are None where no answer's price is known; `unpriced` counts the answers left out of the sum.
    """
    row = con.execute(_COST, [run_id]).fetchall()[0]
    cost = dict(zip(_COSTS, row[: len(_COSTS)], strict=True))
    accepted, at_first, first_dollars, first_tokens = row[len(_COSTS) :]
    tokens = (cost["prompt tokens"] or 0) + (cost["completion tokens"] or 0)
    return {
        **cost,
        "dollars per accepted dialogue": _each(cost["dollars"], accepted),
        "dollars per accepted, discard-only": _each(first_dollars, at_first),
        "tokens per accepted dialogue": _each(tokens, accepted),
        "tokens per accepted, discard-only": _each(first_tokens, at_first),
    }


def _each(spent: float | None, count: int) -> float | None:
    return spent / count if spent is not None and count else None


_COSTS = ("answers", "unpriced", "prompt tokens", "completion tokens", "dollars", "answers this run", "dollars this run")
_COST = """
WITH asked AS (
    SELECT unnest(request_keys) AS request_key, min(attempt) AS attempt FROM transcripts SEMI JOIN briefs USING (dialogue_id) GROUP BY 1
),
paid AS (SELECT r.*, asked.attempt = 1 AS first FROM responses r JOIN asked USING (request_key))
SELECT count(*), count(*) FILTER (cost_usd IS NULL), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd),
       count(*) FILTER (run_id = $1), sum(cost_usd) FILTER (run_id = $1),
       (SELECT count(*) FROM verdicts WHERE verdict = 'accepted'),
       (SELECT count(*) FROM verdicts WHERE verdict = 'accepted' AND attempt = 1),
       sum(cost_usd) FILTER (first), sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) FILTER (first)
FROM paid
"""
