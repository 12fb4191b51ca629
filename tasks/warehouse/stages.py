"""What each stage last wrote: the inputs it was made from and a hash of its content, so that a cached stage can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from tasks.fingerprint import fingerprint


@dataclass(frozen=True)
class StageRecord:
    """A stage's small result: which tables it wrote, from which inputs, with which content."""

    stage: str
    input_hash: str
    output_hash: str
    rows: int
    tables: tuple[str, ...]


def table_hash(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> tuple[str, int]:
    """Return a hash over the rows of tables, whatever their order, and the rows of the first."""
    sums = []
    for table in tables:
        found = con.execute(f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {table} t").fetchall()[0]
        sums.append([table, *found])
    return fingerprint(sums), int(sums[0][1])


def record_stage(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str, tables: Sequence[str], run_id: str) -> StageRecord:
    """Write down what a stage has just made; call it in the stage's own transaction."""
    output_hash, rows = table_hash(con, tables)
    con.execute("DELETE FROM stages WHERE stage = ?", [stage])
    con.execute(
        "INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?)", [stage, input_hash, output_hash, rows, list(tables), run_id, datetime.now(UTC)]
    )
    return StageRecord(stage, input_hash, output_hash, rows, tuple(tables))


def bears(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str) -> bool:
    """Tell whether the stage's tables still hold what it last wrote, and from these very inputs."""
    found = con.execute("SELECT output_hash, tables FROM stages WHERE stage = ? AND input_hash = ?", [stage, input_hash]).fetchall()
    return bool(found) and table_hash(con, found[0][1])[0] == found[0][0]


def made_from(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str) -> bool:
    """Tell whether a stage that grows over several runs was last worked on from these very inputs, whatever it holds by now."""
    return bool(con.execute("SELECT 1 FROM stages WHERE stage = ? AND input_hash = ?", [stage, input_hash]).fetchall())
