"""A query's rows by column name."""

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
