"""Between Python and DuckDB: generators that fill tables and functions that SQL calls, a few megabytes at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType
from duckdb.sqltypes import DuckDBPyType

from tasks.errors import UserError


def stream_into(
    con: duckdb.DuckDBPyConnection, schema: pa.Schema, batches: Iterator[pa.RecordBatch], insert: str, parameters: dict[str, Any]
) -> None:
    """Run `insert`, which selects from the relation `incoming`, while `batches` are made.

    DuckDB works on the last batches in its own threads while Python makes the next ones. A UserError of the generator comes out
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
    finally:
        con.unregister("incoming")


@contextmanager
def sql_function(con: duckdb.DuckDBPyConnection, function: Callable[..., pa.Array], takes: list[Any], gives: DuckDBPyType) -> Iterator[str]:
    """Let SQL call a function of Arrow arrays while the block runs; yields the name it has there.

    The name is a new one each time: a transaction that is rolled back takes the function with it, but not the driver's memory of
    its name.
    """
    name = f"python_{uuid.uuid4().hex}"
    con.create_function(name, function, takes, gives, type=PythonUDFType.ARROW, side_effects=True)
    yield name
    con.remove_function(name)
