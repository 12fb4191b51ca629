"""One transaction: what a block writes stands whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


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
