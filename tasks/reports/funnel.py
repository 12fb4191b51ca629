"""From source lines to released dialogues: how many were left after each step, which rules fell, what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.quality import Suite
from tasks.totals import cost_totals, rule_rows, verdict_rows
from tasks.warehouse import Rows, one_row, rows

_STEPS = """
WITH own AS (SELECT collection, count(*) AS items FROM preferences GROUP BY collection),
answered AS (
    SELECT count(DISTINCT dialogue_id) AS dialogues FROM transcripts SEMI JOIN briefs USING (dialogue_id) WHERE status = 'answered'
),
newest AS (SELECT dialogues FROM releases ORDER BY made_at DESC LIMIT 1)
SELECT
    (SELECT count(*) FROM raw_reviews) AS usable,
    (SELECT count(*) FROM reviews) AS worded,
    (SELECT count(*) FROM reviews WHERE core) AS core,
    (SELECT coalesce(sum(items), 0) FROM own)::BIGINT AS preferences,
    (SELECT coalesce(sum(items) FILTER (collection = 'MIGHT_LIKES'), 0) FROM own)::BIGINT AS might_likes,
    (SELECT count(*) FROM briefs) AS briefs,
    (SELECT dialogues FROM answered) AS answered,
    (SELECT count(*) FROM verdicts WHERE verdict = 'accepted') AS accepted,
    (SELECT dialogues FROM newest) AS released
"""
_TOLD = (
    ("usable", "source reviews", "the first review of each user and item, on lines that can be read"),
    ("worded", "reviews long enough and not too long", "after irregular tokens are dropped and words counted"),
    ("core", "reviews in the core", "user and item both have enough of them"),
    ("preferences", "LIKES, DISLIKES and MIGHT_LIKES", "core reviews with a clear rating, of items that have a title"),
    ("might_likes", "of them MIGHT_LIKES", "the last share of each user's likes: one dialogue each at most"),
    ("briefs", "briefs", "dialogues planned"),
    ("answered", "briefs answered", "the model's answer is in the warehouse"),
    ("accepted", "dialogues accepted", "no rule that rejects was broken"),
    ("released", "dialogues in the newest release", ""),
)
_DEFECTS = "SELECT kind, count(*) AS lines FROM rejected_rows GROUP BY kind ORDER BY lines DESC, kind LIMIT 20"
_ATTEMPTS = """
WITH fallen AS (SELECT DISTINCT dialogue_id, attempt FROM rejections WHERE severity = 'reject')
SELECT t.attempt, count(*) AS asked,
       count(*) FILTER (t.status = 'answered') AS answered, count(*) FILTER (t.status <> 'answered') AS failed,
       count(*) FILTER (t.status = 'answered' AND f.dialogue_id IS NOT NULL) AS rejected
FROM transcripts t SEMI JOIN briefs USING (dialogue_id)
LEFT JOIN fallen f ON f.dialogue_id = t.dialogue_id AND f.attempt = t.attempt
GROUP BY t.attempt ORDER BY t.attempt
"""
_MODELS = """
WITH keys AS (SELECT DISTINCT unnest(request_keys) AS request_key FROM transcripts SEMI JOIN briefs USING (dialogue_id))
SELECT model, count(*) AS answers, sum(prompt_tokens)::BIGINT AS prompt_tokens, sum(completion_tokens)::BIGINT AS completion_tokens,
       sum(cost_usd) AS dollars, avg(cost_usd) AS dollars_per_call, median(latency_s) AS median_s, quantile_cont(latency_s, 0.95) AS slow_s
FROM responses SEMI JOIN keys USING (request_key)
GROUP BY model ORDER BY answers DESC, model
"""


@dataclass(frozen=True)
class Funnel:
    """What was left after each step; `steps` rows: told, note, count, share of the step before (percent, None for the first)."""

    steps: Rows
    defects: Rows
    verdicts: Rows
    attempts: Rows
    rules: Rows


@dataclass(frozen=True)
class Spending:
    """What was paid: totals by name, and one row a model."""

    totals: dict[str, Any]
    models: Rows


def funnel(con: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> Funnel:
    """Return the walk from source reviews to released dialogues, and the rules that fell with the sentence of each."""
    attempts = rows(con, _ATTEMPTS)
    return Funnel(_steps(one_row(con, _STEPS)), rows(con, _DEFECTS), verdict_rows(con), attempts, _rules(con, suites, attempts))


def _steps(counts: dict[str, Any]) -> Rows:
    steps: Rows = []
    before: int | None = None
    for name, told, note in _TOLD:
        count = counts[name]
        if count is None:
            continue
        steps.append({"name": told, "note": note, "count": count, "share": 100.0 * count / before if before else None})
        before = count
    return steps


def _rules(con: duckdb.DuckDBPyConnection, suites: Sequence[Suite], attempts: Rows) -> Rows:
    """Return one row per attempt and broken rule, and one for each rule nobody broke: silence is a finding too."""
    known = {rule.rule: (suite.name, rule) for suite in suites for rule in suite.rules}
    judged = {row["attempt"]: row["answered"] for row in attempts}
    told: Rows = []
    for row in rule_rows(con):
        suite, rule = known.get(row["rule"], ("", None))
        share = 100.0 * row["dialogues"] / judged[row["attempt"]] if judged.get(row["attempt"]) else None
        told.append({**row, "suite": suite, "says": rule.says if rule else "", "share": share})
    broken = {row["rule"] for row in told}
    silent = [(suite, rule) for name, (suite, rule) in known.items() if name not in broken]
    told += [
        {"attempt": None, "rule": rule.rule, "severity": rule.severity, "dialogues": 0, "suite": suite, "says": rule.says, "share": 0.0}
        for suite, rule in silent
    ]
    return told


def spending(con: duckdb.DuckDBPyConnection, run_id: str) -> Spending:
    """Return what the transcripts of the current briefs cost: in all, per call, per accepted dialogue, and by model."""
    totals = cost_totals(con, run_id)
    dollars, answers = totals["dollars"], totals["answers"]
    priced = answers - totals["unpriced"]
    totals["dollars per call"] = dollars / priced if dollars is not None and priced else None
    return Spending(totals, rows(con, _MODELS))
