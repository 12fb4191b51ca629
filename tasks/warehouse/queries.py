"""The rows of a query by column name."""

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
    """Return a query's rows, each by column name. `values` are bound by name or by place."""
    found = con.execute(
        query, values if values is None or isinstance(values, Mapping) else list(values)
    )
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


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
    whole = False
    try:
        yield
        whole = True
    finally:
        if whole:
            con.commit()
        else:
            con.rollback()
