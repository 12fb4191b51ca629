"""A finished chunk goes into the warehouse: its journal into `responses`, its transcripts into `transcripts`, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tasks.generate.chunk import ChunkResult
from tasks.llm import Loaded, Transcript, load_journal
from tasks.warehouse import transaction


def save_chunk(con: duckdb.DuckDBPyConnection, result: ChunkResult, *, profile: str, rollout: str, run_id: str) -> Loaded:
    """Load a chunk and remove its journal. Commits by itself: what is paid for must not hang on what comes later."""
    with transaction(con):
        loaded = load_journal(con, result.journal)
        replace_transcripts(con, result.transcripts, profile=profile, rollout=rollout, run_id=run_id)
    if result.journal.exists():
        result.journal.unlink()
    return loaded


def replace_transcripts(
    con: duckdb.DuckDBPyConnection, transcripts: Sequence[Transcript], *, profile: str, rollout: str, run_id: str
) -> None:
    """Write transcripts in place of those of the same attempts at the same dialogues."""
    import pyarrow as pa

    if not transcripts:
        return
    rows = [
        {
            "dialogue_id": transcript.dialogue_id,
            "attempt": transcript.attempt,
            "status": transcript.status,
            "text": transcript.text,
            "finish_reason": transcript.finish_reason,
            "error": transcript.error,
            "request_keys": list(transcript.request_keys),
            "profile": profile,
            "rollout": rollout,
            "run_id": run_id,
        }
        for transcript in transcripts
    ]
    text = pa.string()
    names = ("dialogue_id", "status", "text", "finish_reason", "error", "profile", "rollout", "run_id")
    schema = pa.schema([*((name, text) for name in names), ("attempt", pa.int32()), ("request_keys", pa.list_(text))])
    con.register("transcript_rows", pa.Table.from_pylist(rows, schema=schema))
    try:
        con.execute(_DELETE)
        con.execute("INSERT INTO transcripts BY NAME SELECT * FROM transcript_rows")
    finally:
        con.unregister("transcript_rows")


def spent_in_run(con: duckdb.DuckDBPyConnection, run_id: str) -> float:
    """Return the dollars a run has spent so far, by the answers in the store."""
    return float(con.execute("SELECT coalesce(sum(cost_usd), 0) FROM responses WHERE run_id = ?", [run_id]).fetchall()[0][0])


_DELETE = """
    DELETE FROM transcripts USING transcript_rows AS fresh
    WHERE transcripts.dialogue_id = fresh.dialogue_id AND transcripts.attempt = fresh.attempt
"""
