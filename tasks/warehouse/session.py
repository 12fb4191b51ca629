"""One connection to a warehouse for work that is done in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from tasks.machine import Machine, this_machine
from tasks.warehouse.connection import DATABASE_IO_ERROR, limits_explained, open_warehouse


class WarehouseSession:
    """A warehouse that is opened at its first use and stays open until it is closed.

    After an I/O error it is closed, so that whoever tries again gets a new connection: DuckDB does
    not go on with one that has met such an error.
    """

    def __init__(self, path: Path, machine: Machine | None = None) -> None:
        """Open nothing yet. `machine` says what DuckDB may use; see `this_machine` if not given."""
        self._path, self._machine = path, machine or this_machine()
        self._held = ExitStack()
        self._con: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def use(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield the connection. Raises UserError as `open_warehouse` does."""
        if self._con is None:
            self._con = self._held.enter_context(open_warehouse(self._path, self._machine))
        try:
            with limits_explained(self._path, self._machine):
                yield self._con
        except DATABASE_IO_ERROR:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        self._con = None
        self._held.close()
