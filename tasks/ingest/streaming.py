"""From a Python generator into a DuckDB table, without holding more than a few megabytes in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from tasks.errors import UserError


def stream_into(
    con: duckdb.DuckDBPyConnection, schema: pa.Schema, batches: Iterator[pa.RecordBatch], insert: str, parameters: dict[str, Any]
) -> None:
    """Run `insert`, which selects from the relation `incoming`, while `batches` are made.

    DuckDB writes the last batches in its own threads while Python makes the next ones. A UserError of the generator comes out
    as itself, not as the database error it causes.
    """
    failed: list[UserError] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except UserError as error:
            failed.append(error)
            raise

    con.register("incoming", pa.RecordBatchReader.from_batches(schema, watched()))
    try:
        con.execute(insert, parameters)
    except duckdb.Error:
        if failed:
            raise failed[0] from None
        raise
    con.unregister("incoming")  # after a failure the transaction is lost, and the name with it
