"""Reads from a warehouse and a release's folder what events say of a stage that has ended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tasks.fingerprint import fingerprint
from tasks.lineage.columns import kind_of, stage_columns
from tasks.quality import GateRecord, read_gates
from tasks.stage_inputs import StageInputs
from tasks.warehouse import TABLES, StageRecord, read_inputs, read_record, rows


@dataclass(frozen=True)
class TableState:
    """A table as it is now: its rows, its columns with their types, and their empty cells."""

    rows: int
    columns: Sequence[tuple[str, str]]
    nulls: Mapping[str, int]


@dataclass(frozen=True)
class ReleaseFiles:
    """A release that was written or confirmed.

    Attributes:
        reused: True if it was there before.
        hashes: SHA-256 of each file.
        columns: of each table, name and type of its columns.
    """

    version: str
    reused: bool
    hashes: Mapping[str, str]
    columns: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class StageState:
    """What the warehouse says of a stage.

    Attributes:
        record: what it last wrote; None for one that keeps no record, as `release`.
        inputs: what it was made from.
        written_by: the runs that wrote its rows.
        tables: every table it reads or writes, as it is now.
        written: rows that are the stage's own, where it writes a part of a table.
        gate: what judged its rows, if anything did.
    """

    record: StageRecord | None
    inputs: StageInputs | None
    written_by: Sequence[str]
    tables: Mapping[str, TableState]
    written: Mapping[str, int]
    gate: GateRecord | None

    @property
    def code_hash(self) -> str:
        """Return a hash of the code, data and libraries that made the rows; empty if unknown."""
        return fingerprint(self.inputs.maker())[:16] if self.inputs else ""


def read_stage(con: duckdb.DuckDBPyConnection, stage: str) -> StageState:
    """Read what the warehouse says of a stage."""
    stated = stage_columns()[kind_of(stage)]
    named = [table for table in (*stated.writes, *stated.reads()) if table in TABLES]
    record = read_record(con, stage)
    return StageState(
        record,
        read_inputs(con, stage),
        _written_by(con, stage),
        {table: _table(con, table) for table in dict.fromkeys(named)},
        _written(con, record.tables if record else ()),
        _gate(con, stage),
    )


def release_files(
    version: str, reused: bool, folder: Path, sums: Mapping[str, str]
) -> ReleaseFiles:
    """Read the columns of a release's tables. Raises OSError.

    Args:
        version: of the release.
        reused: True if it was there before.
        folder: where it is.
        sums: SHA-256 of its files, by path.
    """
    import pyarrow.parquet as pq

    tables = [path for path in sums if path.endswith(".parquet")]
    columns = {
        path: [(column.name, str(column.type)) for column in pq.read_schema(folder / path)]
        for path in tables
    }
    return ReleaseFiles(version, reused, sums, columns)


def lost_runs(con: duckdb.DuckDBPyConnection, before: str) -> list[str]:
    """Return the runs on record as running, except `before`: their process is gone."""
    lost = rows(
        con,
        "SELECT run_id FROM runs WHERE state = 'running' AND run_id <> ? ORDER BY started_at",
        [before],
    )
    return [str(row["run_id"]) for row in lost]


def _table(con: duckdb.DuckDBPyConnection, table: str) -> TableState:
    columns = [(row["column_name"], row["column_type"]) for row in rows(con, f"DESCRIBE {table}")]
    counts = ", ".join(f"count({column})" for column, _ in columns)
    total, *filled = con.execute(f"SELECT count(*), {counts} FROM {table}").fetchall()[0]
    nulls = {column: int(total - held) for (column, _), held in zip(columns, filled, strict=True)}
    return TableState(int(total), columns, nulls)


def _written(con: duckdb.DuckDBPyConnection, selections: Sequence[str]) -> dict[str, int]:
    """Return the rows of a stage's own selections, by table.

    `selections` are those of its record, which our own code wrote.
    """
    counts = {}
    for selection in selections:
        names = [name for name in re.findall(r"\w+", selection) if name in TABLES]
        ((count,),) = con.execute(f"SELECT count(*) FROM {selection}").fetchall()
        counts[names[-1]] = int(count)
    return counts


def _written_by(con: duckdb.DuckDBPyConnection, stage: str) -> list[str]:
    """Return the runs that wrote a stage's rows.

    Several may have asked for transcripts; each transcript has its run.
    """
    kind, _, attempt = stage.partition("-")
    if kind == "generate":
        query = "SELECT DISTINCT run_id FROM transcripts WHERE attempt = ? ORDER BY run_id"
        runs = rows(con, query, [int(attempt)])
    else:
        runs = rows(con, "SELECT run_id FROM stages WHERE stage = ?", [stage])
    return [str(row["run_id"]) for row in runs]


def _gate(con: duckdb.DuckDBPyConnection, stage: str) -> GateRecord | None:
    kind, _, attempt = stage.partition("-")
    wanted = f"attempt-{attempt}" if kind == "quality" else ""
    return next((gate for gate in read_gates(con) if gate.gate == wanted), None)
