"""Data between Python and DuckDB: generators that fill tables, functions that SQL calls."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb.func import PythonUDFType

from tasks.errors import UserError

# numpy and pyarrow take a seventh of a second to import: commands that only look need neither.
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    from duckdb.sqltypes import DuckDBPyType


def integers(values: npt.NDArray[np.int64]) -> pa.Int64Array:
    """Return integers as Arrow without a copy.

    Not `pa.array`, which imports pandas, a third of a second, for anything it is given.
    """
    import numpy as np
    import pyarrow as pa

    return pa.Int64Array.from_buffers(
        pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))]
    )


def strings(values: Sequence[str | None]) -> pa.StringArray:
    """Return texts as Arrow, None as null."""
    import numpy as np
    import pyarrow as pa

    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    valid = np.packbits(
        np.array([value is not None for value in values], dtype=bool), bitorder="little"
    )
    return pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)), pa.py_buffer(valid)
    )


def stream_into(
    con: duckdb.DuckDBPyConnection,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    insert: str,
    parameters: dict[str, Any],
) -> None:
    """Run `insert`, which selects from the relation `incoming`, while `batches` are made.

    DuckDB works on the last batches in its own threads while Python makes the next ones. A
    UserError of the generator is raised as itself, not as the database error it causes.
    """
    import pyarrow as pa

    failed: list[UserError] = []

    def recording() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except UserError as error:
            failed.append(error)
            raise

    con.register("incoming", pa.RecordBatchReader.from_batches(schema, recording()))
    try:
        con.execute(insert, parameters)
    except duckdb.Error:
        if failed:
            raise failed[0] from None
        raise
    # Not after a failure: the aborted transaction refuses it, and its rollback removes the name.
    con.unregister("incoming")


@contextmanager
def sql_function(
    con: duckdb.DuckDBPyConnection,
    function: Callable[..., Any],
    takes: list[Any],
    gives: DuckDBPyType,
    *,
    arrow: bool,
) -> Iterator[str]:
    """Let SQL call a function while the block runs; yields its name in SQL.

    With `arrow`, it is called with Arrow arrays, else with single values. The name is a new one
    each time: a rollback removes the function, but the driver still remembers the name.
    """
    name = f"python_{uuid.uuid4().hex}"
    con.create_function(
        name,
        function,
        takes,
        gives,
        type=PythonUDFType.ARROW if arrow else PythonUDFType.NATIVE,
        side_effects=True,
    )
    yield name
    con.remove_function(name)
