"""The lines that are not used, for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

_KINDS = """
SELECT source_file AS file, kind, count(*) AS lines, min(source_line) AS first_line
FROM rejected_rows GROUP BY source_file, kind ORDER BY lines DESC, file, kind
"""
_LINES = """
SELECT source_file AS file, source_line AS line, kind, detail FROM rejected_rows
WHERE $kind IS NULL OR kind = $kind
ORDER BY file, line, kind LIMIT $limit
"""


@dataclass(frozen=True)
class RejectedLines:
    """What ingest did not use: how many lines of each file and kind, and the first of them in the order of the file."""

    kinds: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def read_rejected(con: duckdb.DuckDBPyConnection, kind: str | None, limit: int) -> RejectedLines:
    """Return the counts of `rejected_rows`, and its first `limit` rows, of one kind if that is given."""
    return RejectedLines(_rows(con, _KINDS, {}), _rows(con, _LINES, {"kind": kind, "limit": limit}))


def _rows(con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = con.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
