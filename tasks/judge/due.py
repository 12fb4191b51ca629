"""Which dialogues of an attempt a judge is asked about, and what is forgotten of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import duckdb

from tasks.fingerprint import unit
from tasks.settings import Domain

# Dialogues that broke off or lack turns are rejected without a judge.
_WHOLE: Final = """
SELECT dialogue_id
FROM dialogues d
JOIN briefs b USING (dialogue_id)
WHERE attempt = $attempt
  AND complete
  AND utterances = turns
ORDER BY brief_order
"""
_WITHOUT_VERDICT: Final = f"""
WITH whole AS ({_WHOLE}),
read AS (
    SELECT dialogue_id
    FROM judge_answers
    WHERE attempt = $attempt
      AND rollout = 'judge'
      AND status = 'answered'
)
SELECT dialogue_id
FROM whole
ANTI JOIN read USING (dialogue_id)
"""
_BY_MODEL: Final = """
WITH paid AS (
    SELECT request_key FROM responses WHERE model = $model
)
SELECT dialogue_id, text <> '[]' AS is_doubted
FROM judge_answers
WHERE attempt = 1
  AND rollout = 'judge'
  AND status = 'answered'
  AND list_has_any(request_keys, (SELECT list(request_key) FROM paid))
"""
_DOUBTED: Final = """
WITH found AS (
    SELECT
        dialogue_id,
        bool_or(rollout = 'judge' AND status = 'answered' AND text <> '[]') AS is_doubted,
        bool_or(rollout = 'confirm' AND status = 'answered') AS is_confirmed
    FROM judge_answers
    WHERE attempt = $attempt
    GROUP BY dialogue_id
)
SELECT dialogue_id
FROM found
JOIN briefs USING (dialogue_id)
WHERE is_doubted
  AND NOT is_confirmed
ORDER BY brief_order
"""


def is_drawn(domain: Domain, dialogue_id: str) -> bool:
    """Return True if a dialogue is among the share of a domain's dialogues that are judged."""
    return unit(domain.seed, "judge", dialogue_id) < domain.quality.judge.share


def to_be_judged(con: duckdb.DuckDBPyConnection, domain: Domain, attempt: int) -> list[str]:
    """Return the dialogues of an attempt that want a first verdict, in brief order."""
    rows = con.execute(_WITHOUT_VERDICT, {"attempt": attempt}).fetchall()
    return [dialogue_id for (dialogue_id,) in rows if is_drawn(domain, dialogue_id)]


def to_be_confirmed(con: duckdb.DuckDBPyConnection, attempt: int) -> list[str]:
    """Return the dialogues in which the first judge found a fault and no other has looked."""
    return [row[0] for row in con.execute(_DOUBTED, {"attempt": attempt}).fetchall()]


def expected_doubts(
    con: duckdb.DuckDBPyConnection, model: str, ids: Sequence[str], share: float, seed: int
) -> list[str]:
    """Return the dialogues that the first judge may find a fault in, as many as are to be expected.

    Those that it has found one in already come first, in the order of `ids`; of those without a
    verdict a share is drawn by a hash.

    Args:
        con: the domain's warehouse.
        model: the first judge.
        ids: the dialogues that it is to read.
        share: of the dialogues without a verdict, from 0 to 1.
        seed: of the draw.
    """
    known = stored_verdicts(con, model)
    open_ones = [dialogue_id for dialogue_id in ids if dialogue_id not in known]
    open_ones.sort(key=lambda dialogue_id: unit(seed, "doubted", dialogue_id))
    doubted = [dialogue_id for dialogue_id in ids if known.get(dialogue_id)]
    return [*doubted, *open_ones[: math.ceil(share * len(open_ones))]]


def stored_verdicts(con: duckdb.DuckDBPyConnection, model: str) -> dict[str, bool]:
    """Return whether a first judge's model found a fault in the dialogues that it has read."""
    return dict(con.execute(_BY_MODEL, {"model": model}).fetchall())


def forget_verdicts(con: duckdb.DuckDBPyConnection, attempt: int) -> None:
    """Delete the verdicts on an attempt; what was paid stays in `responses`."""
    con.execute("DELETE FROM judge_answers WHERE attempt = ?", [attempt])
