"""Which briefs are asked again because a person wants it, and what is forgotten for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tasks.errors import UserError
from tasks.llm import outdate_answers
from tasks.verdicts import BRIEF_VERDICTS


@dataclass(frozen=True)
class Retry:
    """Which briefs are to be asked again; each choice adds to the others.

    Attributes:
        failed: those that got no answer.
        rejected: those whose dialogue broke a rule at every attempt.
        empty: those whose answers said nothing: empty, refused, withheld, cut off while reasoning.
        ids: whole ids of briefs, however they ended.
    """

    failed: bool = False
    rejected: bool = False
    empty: bool = False
    ids: tuple[str, ...] = ()


def briefs_to_retry(con: duckdb.DuckDBPyConnection, domain: str, retry: Retry) -> list[str]:
    """Return the ids of the briefs that are chosen, in brief order.

    Raises:
        UserError: nothing is chosen, an id is of no brief, or no brief is as chosen.
    """
    kinds = [name for name in ("failed", "rejected", "empty") if getattr(retry, name)]
    if not kinds and not retry.ids:
        raise UserError("say which briefs: --failed, --rejected, --empty, or their ids")
    values = {"kinds": kinds, "ids": list(retry.ids)}
    found = [row[0] for row in con.execute(_CHOSEN, values).fetchall()]
    unknown = set(retry.ids).difference(found)
    if unknown:
        raise UserError(f"there is no brief {min(unknown)} in {domain}")
    if not found:
        raise UserError(
            f"no brief of {domain} is {' or '.join(kinds)}: see `redial funnel {domain}`"
        )
    return found


def forget_answers(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> int:
    """Have briefs that were answered asked again; return how many answers that makes outdated.

    What they came to stays until the new answers are there. Of a brief that failed, the turns that
    were answered are kept, as the failure came after them.
    """
    answered = [row[0] for row in con.execute(_ANSWERED, [list(ids)]).fetchall()]
    return outdate_answers(con, answered)


_CHOSEN = f"""
WITH {BRIEF_VERDICTS},
silent AS (
    SELECT DISTINCT dialogue_id
    FROM transcripts
    WHERE (status = 'answered' AND NOT regexp_matches(text, '[\\p{{L}}\\p{{N}}]'))
       OR regexp_matches(error, '^(empty|truncated|refused|filtered|tool_call|interrupted)\\b')
),
chosen AS (
    SELECT dialogue_id FROM brief_verdicts WHERE list_contains($kinds, verdict)
    UNION
    SELECT dialogue_id
    FROM brief_verdicts
    SEMI JOIN silent USING (dialogue_id)
    WHERE list_contains($kinds, 'empty') AND verdict IN ('failed', 'rejected')
    UNION
    SELECT unnest($ids::VARCHAR[])
)
SELECT dialogue_id
FROM briefs
SEMI JOIN chosen USING (dialogue_id)
ORDER BY brief_order
"""

_ANSWERED = f"""
WITH {BRIEF_VERDICTS},
chosen AS (SELECT unnest(?::VARCHAR[]) AS dialogue_id)
SELECT dialogue_id
FROM brief_verdicts
SEMI JOIN chosen USING (dialogue_id)
WHERE verdict <> 'failed'
"""
