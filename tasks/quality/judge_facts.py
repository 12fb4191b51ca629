"""What judges found in dialogues, as facts: counted by kind and turn out of `judge_answers`."""

from __future__ import annotations

from typing import Final

import duckdb

from tasks.judge import FAULT_KINDS

# The verdict that counts for each dialogue: of the judge that confirms, if it gave one.
_READ: Final = """
CREATE OR REPLACE TEMP TABLE judge_read AS
SELECT
    dialogue_id,
    bool_or(status = 'answered') AS has_verdict,
    arg_min(text, rollout) FILTER (status = 'answered') AS faults
FROM judge_answers
WHERE attempt = $attempt
GROUP BY dialogue_id
"""
_PIECES: Final = """
CREATE OR REPLACE TEMP TABLE judge_pieces AS
WITH listed AS (
    SELECT
        dialogue_id,
        unnest(
            from_json(faults, '[{"turn": "INTEGER", "kind": "VARCHAR", "piece": "VARCHAR"}]'),
            recursive := true
        )
    FROM judge_read
    WHERE has_verdict
)
SELECT dialogue_id, turn, kind, piece FROM listed
"""
_COUNTED: Final = ", ".join(
    f"count_if(kind = '{kind}')::INTEGER AS judge_{kind}" for kind in FAULT_KINDS
)
_FAULTS: Final = f"""
CREATE OR REPLACE TEMP TABLE judge_faults AS
SELECT dialogue_id, turn, {_COUNTED}
FROM judge_pieces
GROUP BY dialogue_id, turn
"""


def read_verdicts(con: duckdb.DuckDBPyConnection, attempt: int) -> None:
    """Make temporary tables of what judges found at an attempt.

    `judge_read` says of each dialogue that was asked about whether there is a verdict,
    `judge_pieces` has each fault with what is shown of it, `judge_faults` counts them by turn.
    """
    con.execute(_READ, {"attempt": attempt})
    con.execute(_PIECES)
    con.execute(_FAULTS)
