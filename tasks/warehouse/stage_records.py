"""What each stage last wrote, from what, and a hash of its content: so that a cached stage can be trusted, and say why it is not."""

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
    """Return a hash over the rows of tables, whatever their order, and the rows of the first."""
    sums = []
    for table in tables:
        found = con.execute(
            f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {table} t"
        ).fetchall()[0]
        sums.append([table, *found])
    return fingerprint(sums), int(sums[0][1])


def record_stage(
    con: duckdb.DuckDBPyConnection,
    stage: str,
    inputs: StageInputs,
    tables: Sequence[str],
    run_id: str,
) -> StageRecord:
    """Write down what a stage has just made and from what; call it in the stage's own transaction."""
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
    """Delete the records of stages, whose rows are gone or about to be written anew."""
    for table in ("stages", "stage_inputs"):
        con.execute(f"DELETE FROM {table} WHERE stage IN (SELECT unnest(?))", [list(stages)])


def read_record(con: duckdb.DuckDBPyConnection, stage: str) -> StageRecord | None:
    """Return what a stage last wrote, or None."""
    query = "SELECT stage, input_hash, output_hash, rows, tables FROM stages WHERE stage = ?"
    found = con.execute(query, [stage]).fetchall()
    if not found:
        return None
    name, input_hash, output_hash, rows, tables = found[0]
    return StageRecord(name, input_hash, output_hash, rows, tuple(tables))


def read_inputs(con: duckdb.DuckDBPyConnection, stage: str) -> StageInputs | None:
    """Return what a stage was last made from; None if it was never made, or by a version that did not write this down."""
    found = con.execute(
        "SELECT inputs FROM stages JOIN stage_inputs USING (stage, input_hash) WHERE stage = ?",
        [stage],
    ).fetchall()
    return StageInputs(**json.loads(found[0][0])) if found else None


def is_unchanged(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str) -> bool:
    """Return True if the stage's tables still hold what it last wrote, and from these very inputs."""
    found = read_record(con, stage)
    return (
        found is not None
        and found.input_hash == input_hash
        and table_hash(con, found.tables)[0] == found.output_hash
    )


def made_from(con: duckdb.DuckDBPyConnection, stage: str, input_hash: str) -> bool:
    """Return True if a stage that grows over several runs was last worked on from these very inputs, whatever it holds by now."""
    found = read_record(con, stage)
    return found is not None and found.input_hash == input_hash


def why_redone(con: duckdb.DuckDBPyConnection, stage: str, inputs: StageInputs) -> str:
    """Return in one line what makes a stage run again; empty if it never ran before."""
    record, before = read_record(con, stage), read_inputs(con, stage)
    if record is None:
        return ""
    if record.input_hash == inputs.hash(stage):
        return "what it wrote was changed or removed"
    if before is None:
        return "made by an earlier version, which did not write down from what"
    return in_one_line(changes(before, inputs)) or "stages are told apart in a new way"
