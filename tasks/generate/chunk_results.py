"""Loads a finished chunk: its journal into `responses`, its transcripts into `transcripts`."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tasks.generate.chunk import ChunkResult
from tasks.llm import Loaded, Transcript, load_journal
from tasks.settings import BudgetScope
from tasks.warehouse import TABLES, transaction

_PAID = """
    paid AS (
        SELECT run_id, cost_usd
        FROM responses
        UNION ALL
        SELECT run_id, cost_usd
        FROM unusable_answers
    )
"""
_SPENT_IN_RUN = f"""
    WITH {_PAID}
    SELECT coalesce(sum(cost_usd), 0)
    FROM paid
    WHERE run_id = $1
"""
_SPENT_ON_DATASET = f"""
    WITH {_PAID},
    own AS (
        SELECT config_hash
        FROM runs
        WHERE run_id = $1
    ),
    alike AS (
        SELECT run_id
        FROM runs
        SEMI JOIN own USING (config_hash)
        UNION
        SELECT $1
    )
    SELECT coalesce(sum(cost_usd), 0)
    FROM paid
    SEMI JOIN alike USING (run_id)
"""
_DELETE = """
    DELETE FROM {table}
    USING transcript_rows AS fresh
    WHERE {alike}
"""


def save_chunk(
    con: duckdb.DuckDBPyConnection,
    result: ChunkResult,
    *,
    profile: str,
    rollout: str,
    run_id: str,
    table: str = "transcripts",
) -> Loaded:
    """Load a chunk in one transaction of its own, and remove its journal.

    It commits by itself, so that what is paid for does not depend on what comes later.
    """
    with transaction(con):
        loaded = load_journal(con, result.journal)
        replace_transcripts(
            con, result.transcripts, profile=profile, rollout=rollout, run_id=run_id, table=table
        )
    if result.journal.exists():
        result.journal.unlink()
    return loaded


def replace_transcripts(
    con: duckdb.DuckDBPyConnection,
    transcripts: Sequence[Transcript],
    *,
    profile: str,
    rollout: str,
    run_id: str,
    table: str = "transcripts",
) -> None:
    """Write transcripts in place of those with the same key in their table."""
    import pyarrow as pa

    if not transcripts:
        return
    origin = {"profile": profile, "rollout": rollout, "run_id": run_id}
    schema = pa.schema(
        [
            ("dialogue_id", pa.string()),
            ("attempt", pa.int32()),
            ("status", pa.string()),
            ("text", pa.string()),
            ("finish_reason", pa.string()),
            ("error", pa.string()),
            ("request_keys", pa.list_(pa.string())),
            ("profile", pa.string()),
            ("rollout", pa.string()),
            ("run_id", pa.string()),
        ]
    )
    rows = [{**vars(transcript), **origin} for transcript in transcripts]
    con.register("transcript_rows", pa.Table.from_pylist(rows, schema=schema))
    try:
        alike = " AND ".join(f"{table}.{column} = fresh.{column}" for column in TABLES[table].key)
        con.execute(_DELETE.format(table=table, alike=alike))
        con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM transcript_rows")
    finally:
        con.unregister("transcript_rows")


def spent(con: duckdb.DuckDBPyConnection, run_id: str, scope: BudgetScope) -> float:
    """Return the dollars spent so far by what is stored, unusable answers included.

    Args:
        con: a connection to the warehouse.
        run_id: the run that asks.
        scope: "run" counts what this run paid for; "dataset" what all runs with its settings did.
    """
    query = _SPENT_ON_DATASET if scope == "dataset" else _SPENT_IN_RUN
    return float(con.execute(query, [run_id]).fetchall()[0][0])
