"""Records of what each stage wrote, from which inputs, with a hash of the content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import duckdb

from tasks.fingerprint import fingerprint
from tasks.stage_inputs import StageInputs, changes, in_one_line


@dataclass(frozen=True)
class StageRecord:
    """A stage's small result: which tables it wrote, from which inputs, with which content."""

    stage: str
    input_hash: str
    output_hash: str
    rows: int
    tables: tuple[str, ...]


def table_hash(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> tuple[str, int]:
    """Return a hash of the rows of tables in any order, and the number of rows of the first."""
    sums = []
    for table in tables:
        count, total = con.execute(
            f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {table} t"
        ).fetchall()[0]
        sums.append([table, count, total])
    return fingerprint(sums), int(sums[0][1])


def record_stage(
    con: duckdb.DuckDBPyConnection,
    stage: str,
    inputs: StageInputs,
    tables: Sequence[str],
    run_id: str,
) -> StageRecord:
    """Record what a stage has written and its inputs; call it in the stage's own transaction."""
    output_hash, rows = table_hash(con, tables)
    input_hash = inputs.hash(stage)
    forget_stages(con, [stage])
    values = [stage, input_hash, output_hash, rows, list(tables), run_id, datetime.now(UTC)]
    con.execute("INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    con.execute(
        "INSERT INTO stage_inputs VALUES (?, ?, ?)",
        [stage, input_hash, json.dumps(asdict(inputs), sort_keys=True)],
    )
    return StageRecord(stage, input_hash, output_hash, rows, tuple(tables))


def forget_stages(con: duckdb.DuckDBPyConnection, stages: Sequence[str]) -> None:
    """Delete the records of stages, whose rows are gone or about to be written again."""
    for table in ("stages", "stage_inputs"):
        con.execute(f"DELETE FROM {table} WHERE stage IN (SELECT unnest(?))", [list(stages)])


def read_record(con: duckdb.DuckDBPyConnection, stage: str) -> StageRecord | None:
    """Return what a stage last wrote, or None."""
    query = "SELECT stage, input_hash, output_hash, rows, tables FROM stages WHERE stage = ?"
    records = con.execute(query, [stage]).fetchall()
    if not records:
        return None
    name, input_hash, output_hash, rows, tables = records[0]
    return StageRecord(name, input_hash, output_hash, rows, tuple(tables))


def read_inputs(con: duckdb.DuckDBPyConnection, stage: str) -> StageInputs | None:
    """Return the inputs of a stage's last run; None if they are not recorded."""
    rows = con.execute(
        "SELECT inputs FROM stages JOIN stage_inputs USING (stage, input_hash) WHERE stage = ?",
        [stage],
    ).fetchall()
    return StageInputs(**json.loads(rows[0][0])) if rows else None


def is_unchanged(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str) -> bool:
    """Return True if a stage's tables still have what it last wrote, from these same inputs."""
    record = read_record(con, stage)
    if record is None or record.input_hash != input_hash:
        return False
    return table_hash(con, record.tables)[0] == record.output_hash


def made_from(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str) -> bool:
    """Return True if a stage last had these inputs, also if its tables have changed since.

    For a stage that grows over several runs.
    """
    record = read_record(con, stage)
    return record is not None and record.input_hash == input_hash


def why_redone(con: duckdb.DuckDBPyConnection, stage: str, inputs: StageInputs) -> str:
    """Return in one line why a stage runs again; empty if it never ran before."""
    record, before = read_record(con, stage), read_inputs(con, stage)
    if record is None:
        return ""
    if record.input_hash == inputs.hash(stage):
        return "what it wrote was changed or removed"
    if before is None:
        return "made by an earlier version, which did not write down from what"
    return in_one_line(changes(before, inputs)) or "stages are compared in a new way"
