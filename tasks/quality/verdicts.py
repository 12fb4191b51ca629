"""How each brief ended. The four verdicts always add up to the briefs."""

from __future__ import annotations

import duckdb

from tasks.quality.great_expectations import GateError
from tasks.quality.values import VerdictCounts
from tasks.verdicts import ATTEMPT_OUTCOMES, VERDICTS
from tasks.warehouse import create_table

_UNJUDGED = """
SELECT count(*)
FROM transcripts t
SEMI JOIN briefs USING (dialogue_id)
ANTI JOIN dialogue_facts f ON f.dialogue_id = t.dialogue_id AND f.attempt = t.attempt
WHERE status = 'answered'
"""
# Accepted at the first attempt that broke no rejecting rule; else rejected at the last attempt that
# was answered; else failed at the last one tried.
_VERDICTS = f"""
INSERT INTO verdicts
WITH {ATTEMPT_OUTCOMES},
tried AS (
    SELECT
        dialogue_id,
        min(attempt) FILTER (outcome = 'accepted') AS accepted_at,
        max(attempt) FILTER (outcome <> 'failed') AS answered_at,
        max(attempt) AS last_try
    FROM attempt_outcomes
    GROUP BY dialogue_id
)
SELECT
    dialogue_id,
    CASE
        WHEN accepted_at IS NOT NULL THEN 'accepted'
        WHEN answered_at IS NOT NULL THEN 'rejected'
        WHEN last_try IS NOT NULL THEN 'failed'
        ELSE 'unasked'
    END AS verdict,
    coalesce(accepted_at, answered_at, last_try) AS attempt
FROM briefs
LEFT JOIN tried USING (dialogue_id)
ORDER BY brief_order
"""


def set_verdicts(con: duckdb.DuckDBPyConnection) -> VerdictCounts:
    """Fill `verdicts`: one row per brief; the attempt of an unasked one is NULL.

    Raises:
        GateError: an answered attempt has not been judged, or the verdicts do not add up to the
            briefs.
    """
    (unjudged,) = con.execute(_UNJUDGED).fetchall()[0]
    if unjudged:
        raise GateError(
            f"{unjudged} answered attempts have not been judged: "
            f"parse and judge their attempt before the verdicts"
        )
    create_table(con, "verdicts", replace=True)
    con.execute(_VERDICTS)
    query = "SELECT verdict, count(*) FROM verdicts GROUP BY verdict"
    counted = dict(con.execute(query).fetchall())
    (briefs,) = con.execute("SELECT count(*) FROM briefs").fetchall()[0]
    if sum(counted.values()) != briefs:
        raise GateError(
            f"{sum(counted.values())} verdicts for {briefs} briefs: a dialogue id is listed twice"
        )
    return VerdictCounts(briefs, *(counted.get(verdict, 0) for verdict in VERDICTS))
