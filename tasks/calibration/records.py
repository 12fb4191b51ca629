"""The tables `calibrations` and `judge_agreements`: what was measured last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import duckdb

from tasks.calibration.figures import Reading
from tasks.calibration.judges_compared import Agreement
from tasks.intervals import PairedCounts

_AGREED: Final = """
SELECT first_judge, second_judge, both_reject, first_rejects, second_rejects, neither_rejects
FROM judge_agreements
ORDER BY first_judge, second_judge
"""
_READ: Final = """
SELECT reader, source, kind, dialogues, found
FROM calibrations
ORDER BY reader, source, kind
"""


def store_calibration(
    con: duckdb.DuckDBPyConnection,
    readings: Sequence[Reading],
    run_id: str,
    agreed: Sequence[Agreement] = (),
) -> None:
    """Store what was measured in place of what was measured before. The caller commits."""
    con.execute("DELETE FROM calibrations")
    con.execute("DELETE FROM judge_agreements")
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    rows = [
        [one.reader, one.source, one.kind, one.dialogues, one.found, run_id, now]
        for one in readings
    ]
    if rows:
        con.executemany("INSERT INTO calibrations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    for one in agreed:
        counts = (one.counts.both, one.counts.first, one.counts.second, one.counts.neither)
        con.execute(
            "INSERT INTO judge_agreements VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [one.first, one.second, *counts, run_id, now],
        )


def read_agreements(con: duckdb.DuckDBPyConnection) -> list[Agreement]:
    """Return how far judges agreed when they were measured last; empty if they were not."""
    if not _has(con, "judge_agreements"):
        return []
    rows = con.execute(_AGREED).fetchall()
    return [Agreement(first, second, PairedCounts(*counts)) for first, second, *counts in rows]


def read_calibration(con: duckdb.DuckDBPyConnection) -> list[Reading]:
    """Return what was measured last; empty if nothing was."""
    if not _has(con, "calibrations"):
        return []
    return [Reading(*row) for row in con.execute(_READ).fetchall()]


def calibrated_at(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return when it was measured last, UTC; None if it never was."""
    if not _has(con, "calibrations"):
        return None
    ((measured_at,),) = con.execute("SELECT max(measured_at) FROM calibrations").fetchall()
    return measured_at if isinstance(measured_at, datetime) else None


def _has(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return False for a warehouse that an earlier version wrote and no build has opened since."""
    query = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
    return bool(con.execute(query, [table]).fetchall())
