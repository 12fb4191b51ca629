"""What the answers behind today's briefs cost: in all, per accepted dialogue, by model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import duckdb

from tasks.verdicts import ACCEPTED
from tasks.warehouse import Rows, rows


@dataclass(frozen=True)
class Spending:
    """What was paid: totals by name, and one row a model."""

    totals: dict[str, Any]
    models: Rows


def spending(con: duckdb.DuckDBPyConnection, run_id: str) -> Spending:
    """Return what was paid, in all and by model.

    The totals are those of `cost_totals` and the dollars per call; each model has the latency of
    its answers in seconds.
    """
    totals = cost_totals(con, run_id)
    priced = totals["answers"] - totals["unpriced"]
    totals["dollars per call"] = _each(totals["dollars"], priced)
    return Spending(totals, rows(con, _MODELS))


def cost_totals(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, Any]:
    """Return what transcripts and verdicts of the current briefs cost, and what this run added.

    Tokens are prompt and completion together. "Discard-only" is what an accepted dialogue would
    have cost had each rejected one been thrown away and a new first attempt been bought, as the
    paper did: all first attempts over the dialogues accepted at the first. Dollars are None where
    no answer's price is known; `unpriced` counts the answers left out of the sum. `estimated`
    counts the answers whose tokens are our forecast, `unusable` the billed calls that brought no
    answer and the answers that `redial retry` asked for again: they are in the dollars.
    Cached tokens are part of the prompt tokens, reasoning tokens of the completion tokens;
    `upper bounds` counts the answers whose cached tokens are in the dollars at the full price,
    because theirs is unknown.
    """
    (found,) = rows(con, _COST, {"run_id": run_id})
    cost = {name: found[name] for name in _COSTS}
    tokens = (cost["prompt tokens"] or 0) + (cost["completion tokens"] or 0)
    return {
        **cost,
        "dollars per accepted dialogue": _each(cost["dollars"], found["accepted"]),
        "dollars per accepted, discard-only": _each(
            found["first_dollars"], found["accepted_first"]
        ),
        "tokens per accepted dialogue": _each(tokens, found["accepted"]),
        "tokens per accepted, discard-only": _each(found["first_tokens"], found["accepted_first"]),
    }


def _each(spent: float | None, count: int) -> float | None:
    return spent / count if spent is not None and count else None


_COSTS: Final = (
    "answers",
    "unpriced",
    "estimated",
    "unusable",
    "prompt tokens",
    "completion tokens",
    "cached tokens",
    "reasoning tokens",
    "upper bounds",
    "dollars",
    "answers this run",
    "dollars this run",
)

_ASKED = """
asked_for AS (
    SELECT dialogue_id, attempt, request_keys FROM transcripts
    UNION ALL
    SELECT dialogue_id, attempt, request_keys FROM judge_answers
),
asked AS (
    SELECT unnest(request_keys) AS request_key, min(attempt) AS attempt
    FROM asked_for
    SEMI JOIN briefs USING (dialogue_id)
    GROUP BY 1
),
paid AS (
    SELECT
        r.*,
        asked.attempt = 1 AS first,
        coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) AS tokens
    FROM responses r
    JOIN asked USING (request_key)
)"""

_UNUSABLE = """
unused AS (
    SELECT run_id, cost_usd
    FROM unusable_answers
    SEMI JOIN briefs USING (dialogue_id)
    UNION ALL
    SELECT run_id, cost_usd
    FROM responses
    SEMI JOIN briefs USING (dialogue_id)
    ANTI JOIN asked USING (request_key)
    WHERE outdated
),
charged AS (
    SELECT run_id, cost_usd FROM paid
    UNION ALL
    SELECT run_id, cost_usd FROM unused
)"""

_COST = f"""
WITH {_ASKED},
{_UNUSABLE},
{ACCEPTED}
SELECT
    count(*) AS answers,
    count(*) FILTER (cost_usd IS NULL) AS unpriced,
    count(*) FILTER (usage_estimated) AS estimated,
    (SELECT count(*) FROM unused) AS unusable,
    sum(prompt_tokens) AS "prompt tokens",
    sum(completion_tokens) AS "completion tokens",
    coalesce(sum(cached_tokens), 0)::BIGINT AS "cached tokens",
    coalesce(sum(reasoning_tokens), 0)::BIGINT AS "reasoning tokens",
    count(*) FILTER (cost_is_upper_bound) AS "upper bounds",
    (SELECT sum(cost_usd) FROM charged) AS dollars,
    count(*) FILTER (run_id = $run_id) AS "answers this run",
    (SELECT sum(cost_usd) FROM charged WHERE run_id = $run_id) AS "dollars this run",
    (SELECT count(*) FROM accepted) AS accepted,
    (SELECT count(*) FROM accepted WHERE attempt = 1) AS accepted_first,
    sum(cost_usd) FILTER (first) AS first_dollars,
    sum(tokens) FILTER (first) AS first_tokens
FROM paid
"""

_MODELS = f"""
WITH {_ASKED}
SELECT
    model,
    count(*) AS answers,
    sum(prompt_tokens)::BIGINT AS prompt_tokens,
    sum(completion_tokens)::BIGINT AS completion_tokens,
    sum(cost_usd) AS dollars,
    avg(cost_usd) AS dollars_per_call,
    median(latency_s) AS median_s,
    quantile_cont(latency_s, 0.95) AS slow_s
FROM paid
GROUP BY model
ORDER BY answers DESC, model
"""
