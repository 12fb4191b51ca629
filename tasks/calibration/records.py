"""The table `calibrations`: what was measured last, kept with the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import duckdb

from tasks.calibration.figures import Reading

_READ: Final = """
SELECT reader, source, kind, dialogues, found
FROM calibrations
ORDER BY reader, source, kind
"""


def store_calibration(
    con: duckdb.DuckDBPyConnection, readings: Sequence[Reading], run_id: str
) -> None:
    """Store what was measured in place of what was measured before. The caller commits."""
    con.execute("DELETE FROM calibrations")
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    rows = [
        [one.reader, one.source, one.kind, one.dialogues, one.found, run_id, now]
        for one in readings
    ]
    if rows:
        con.executemany("INSERT INTO calibrations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def read_calibration(con: duckdb.DuckDBPyConnection) -> list[Reading]:
    """Return what was measured last; empty if nothing was."""
    return [Reading(*row) for row in con.execute(_READ).fetchall()]
