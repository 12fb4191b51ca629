"""Rows of queries by column name, and transactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

Rows = list[dict[str, Any]]


def rows(
    con: duckdb.DuckDBPyConnection,
    query: str,
    values: Mapping[str, Any] | Sequence[Any] | None = None,
) -> Rows:
    """Return a query's rows, each by column name. `values` are bound by name or by position."""
    is_positional = values is not None and not isinstance(values, Mapping)
    result = con.execute(query, list(values or ()) if is_positional else values)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def one_row(
    con: duckdb.DuckDBPyConnection,
    query: str,
    values: Mapping[str, Any] | Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Return the only row of a query that has exactly one."""
    (row,) = rows(con, query, values)
    return row


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block writes; roll it back when the block raises or is interrupted."""
    con.begin()
    complete = False
    try:
        yield
        complete = True
    finally:
        if complete:
            con.commit()
        else:
            con.rollback()
