"""How this room asks the warehouse: a query becomes rows by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

Rows = list[dict[str, Any]]


def rows(con: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None) -> Rows:
    """Return a query's rows, each by column name."""
    found = con.execute(query, dict(values or {}))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def one(con: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the only row of a query that has exactly one."""
    (row,) = rows(con, query, values)
    return row
