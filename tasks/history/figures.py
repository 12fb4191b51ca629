"""The figures of a run: counted at its end and kept in `run_figures`, which no stage rewrites."""

from __future__ import annotations

from typing import Any, Final

import duckdb

from tasks.history.values import ACCEPTANCE, DOLLARS, FIRST, RULE, TOKENS
from tasks.quality import read_gates
from tasks.verdicts import ATTEMPT_OUTCOMES, BRIEF_VERDICTS
from tasks.warehouse import TABLES, rows, transaction

_KEYS: Final = frozenset({"dialogue_id", "attempt"})
_UNMEASURED: Final = _KEYS | {"turn"}  # the place of an utterance is the template's
_OPTIONAL: Final = ("judge", "target_nearness", "far_claims")


def record_figures(con: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Write down what a run came to, in place of what was written of it before.

    The caller has recorded the run's end, and holds the domain.

    Returns:
        True if the run asked for anything; of one that did not, nothing is kept.
    """
    con.execute("DELETE FROM run_figures WHERE run_id = ?", [run_id])
    amounts = _amounts(con, run_id)
    if not amounts["requests"]:
        return False
    dialogues = [row["dialogue_id"] for row in rows(con, _ASKED, {"run_id": run_id})]
    chosen = {"run_id": run_id, "dialogues": dialogues}
    (counted,) = rows(con, _COUNTED, {"dialogues": dialogues})
    known = {name: value for name, value in amounts.items() if value is not None}
    figures = [
        *(("amount", name, 0, value, None, None) for name, value in known.items()),
        ("share", ACCEPTANCE, 0, counted["accepted"], counted["ended"], None),
        ("share", FIRST, 0, counted["first"], counted["judged"], None),
        ("share", "failed", 0, counted["failed"], counted["ended"], None),
        *_rules(con, dialogues, counted["judged"]),
        *_means(con, chosen),
        *_facts(con, dialogues),
    ]
    con.executemany(
        "INSERT INTO run_figures VALUES (?, ?, ?, ?, ?, ?, ?)", [[run_id, *row] for row in figures]
    )
    return True


def record_lost(con: duckdb.DuckDBPyConnection) -> None:
    """Write down what the newest run came to, which lost its process before its end."""
    newest = rows(con, "SELECT run_id FROM runs ORDER BY started_at DESC, run_id LIMIT 1")
    if newest:
        with transaction(con):
            record_figures(con, newest[0]["run_id"])


def _amounts(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, float | None]:
    (amounts,) = rows(con, _AMOUNTS, {"run_id": run_id})
    return amounts


def _rules(
    con: duckdb.DuckDBPyConnection, dialogues: list[str], judged: int
) -> list[tuple[Any, ...]]:
    """Return every rule that the first attempts were judged by, also those that none broke."""
    if not judged:
        return []
    broken = {row["rule"]: row["dialogues"] for row in rows(con, _BROKEN, {"dialogues": dialogues})}
    known = set(broken)
    for gate in read_gates(con):
        if gate.place != 1:
            continue
        for suite in gate.suites:
            known |= {rule.rule for rule in suite.rules}
    return [
        ("share", f"{RULE}{rule}", 0, broken.get(rule, 0), judged, None) for rule in sorted(known)
    ]


def _means(con: duckdb.DuckDBPyConnection, chosen: dict[str, Any]) -> list[tuple[Any, ...]]:
    (means,) = rows(con, _MEANS, chosen)
    return [
        ("mean", name, 0, means[key], means[f"{key}_of"], means[f"{key}_spread"] or 0.0)
        for name, key in ((TOKENS, "tokens"), (DOLLARS, "dollars"))
        if means[key] is not None
    ]


def _facts(con: duckdb.DuckDBPyConnection, dialogues: list[str]) -> list[tuple[Any, ...]]:
    """Return each fact's distribution: a row a bin, out of the dialogues it was seen in."""
    facts: list[tuple[Any, ...]] = []
    for table in ("dialogue_facts", "utterance_facts"):
        for column in TABLES[table].column_names():
            if column in _UNMEASURED or not _is_measured(con, table, column):
                continue
            query = _DISTRIBUTION.format(table=table, column=column)
            name = f"{table.removesuffix('_facts')} {column}"
            counted = rows(con, query, {"dialogues": dialogues})
            facts += [
                ("fact", name, row["bin"], row["seen"], row["dialogues"], None) for row in counted
            ]
    return facts


def _is_measured(con: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    """Return False for a fact of a judge or of embeddings that is 0 everywhere: none was asked."""
    if not column.startswith(_OPTIONAL):
        return True
    return bool(con.execute(f"SELECT bool_or({column}::INTEGER > 0) FROM {table}").fetchall()[0][0])


_AMOUNTS = """
WITH paid AS (
    SELECT prompt_tokens, completion_tokens, cost_usd FROM responses WHERE run_id = $run_id
    UNION ALL
    SELECT prompt_tokens, completion_tokens, cost_usd FROM unusable_answers WHERE run_id = $run_id
),
refused AS (SELECT 1 FROM transcripts WHERE run_id = $run_id AND status <> 'answered'),
took AS (
    SELECT date_diff('millisecond', started_at, finished_at) / 1000 AS seconds
    FROM runs WHERE run_id = $run_id
)
SELECT (SELECT count(*) FROM paid) + (SELECT count(*) FROM refused) AS requests,
       sum(prompt_tokens) AS "prompt tokens",
       sum(completion_tokens) AS "completion tokens",
       sum(cost_usd) AS dollars,
       (SELECT max(seconds) FROM took) AS seconds
FROM paid
"""

# The dialogues whose first attempt this run asked for: an answer that was found in the warehouse
# was asked for by another run, and belongs to that one's figures.
_ASKED = """
WITH first AS (
    SELECT dialogue_id, status, run_id, request_keys
    FROM transcripts SEMI JOIN briefs USING (dialogue_id) WHERE attempt = 1
),
bought AS (SELECT request_key FROM responses WHERE run_id = $run_id),
keys AS (SELECT dialogue_id, unnest(request_keys) AS request_key FROM first),
answered AS (
    SELECT DISTINCT dialogue_id FROM keys SEMI JOIN bought USING (request_key)
),
failed AS (SELECT dialogue_id FROM first WHERE status <> 'answered' AND run_id = $run_id)
SELECT dialogue_id FROM answered UNION SELECT dialogue_id FROM failed ORDER BY dialogue_id
"""

_CHOSEN = "chosen AS (SELECT unnest($dialogues::VARCHAR[]) AS dialogue_id)"

_COUNTED = f"""
WITH {_CHOSEN},
{BRIEF_VERDICTS},
{ATTEMPT_OUTCOMES},
ends AS (
    SELECT verdict FROM brief_verdicts SEMI JOIN chosen USING (dialogue_id)
    WHERE verdict <> 'unasked'
),
firsts AS (
    SELECT outcome FROM attempt_outcomes SEMI JOIN chosen USING (dialogue_id) WHERE attempt = 1
)
SELECT (SELECT count(*) FROM ends) AS ended,
       (SELECT count(*) FROM ends WHERE verdict = 'accepted') AS accepted,
       (SELECT count(*) FROM ends WHERE verdict = 'failed') AS failed,
       (SELECT count(*) FROM firsts WHERE outcome IN ('accepted', 'rejected')) AS judged,
       (SELECT count(*) FROM firsts WHERE outcome = 'accepted') AS first
"""

_BROKEN = f"""
WITH {_CHOSEN}
SELECT rule, count(DISTINCT dialogue_id) AS dialogues
FROM rejections SEMI JOIN chosen USING (dialogue_id)
WHERE attempt = 1 GROUP BY rule
"""

_MEANS = f"""
WITH {_CHOSEN},
paid AS (
    SELECT dialogue_id, sum(prompt_tokens + completion_tokens) AS tokens, sum(cost_usd) AS dollars
    FROM responses SEMI JOIN chosen USING (dialogue_id)
    WHERE attempt = 1 AND run_id = $run_id GROUP BY dialogue_id
)
SELECT avg(tokens) AS tokens, count(tokens) AS tokens_of, stddev_samp(tokens) AS tokens_spread,
       avg(dollars) AS dollars, count(dollars) AS dollars_of, stddev_samp(dollars) AS dollars_spread
FROM paid
"""

# Bins are the same for every run: each value up to 20, fives up to 100, fifties up to 1,000.
_DISTRIBUTION = f"""
WITH {_CHOSEN},
seen AS (
    SELECT dialogue_id, {{column}}::BIGINT AS value
    FROM {{table}} SEMI JOIN chosen USING (dialogue_id)
    WHERE attempt = 1 AND {{column}} IS NOT NULL
),
binned AS (
    SELECT dialogue_id,
           CASE WHEN value <= 20 THEN greatest(value, -20)
                WHEN value <= 100 THEN value // 5 * 5
                ELSE least(value // 50 * 50, 1000) END::INTEGER AS bin
    FROM seen
)
SELECT bin, count(*) AS seen, (SELECT count(DISTINCT dialogue_id) FROM binned) AS dialogues
FROM binned GROUP BY bin ORDER BY bin
"""
