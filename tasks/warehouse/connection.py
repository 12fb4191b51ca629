"""Opens a domain's DuckDB file; a lock held by another process is one clear line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock, shared_lock
from tasks.machine import MEMORY_VARIABLE, Machine, this_machine
from tasks.settings import Home
from tasks.warehouse.tables import (
    LAYOUT,
    TABLES,
    create_tables,
    layout_of,
    schema_mismatches,
)

if TYPE_CHECKING:
    Connection = duckdb.DuckDBPyConnection
else:
    # Prefect keeps flows until the interpreter exits; their annotations would keep DuckDB's
    # classes alive, and its module warns about that.
    Connection = Any

_LOCKED = re.compile(r"Conflicting lock", re.IGNORECASE)
_FULL = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|max_temp_directory_size"
)
_SETTINGS: dict[str, str | int] = {
    "preserve_insertion_order": "true",
    # Else DuckDB may look for extensions on the network if a file is not a warehouse.
    "autoinstall_known_extensions": "false",
}


DATABASE_IO_ERROR = duckdb.IOException  # a file briefly locked or unreadable


class WarehouseHeld(UserError):
    """Another process has the file open."""


@contextmanager
def open_warehouse(
    path: Path, machine: Machine | None = None, **settings: str | int
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse for writing, create its tables, close it at the end.

    Args:
        path: the DuckDB file; its folder is created.
        machine: threads and memory that DuckDB may use; see `this_machine` if not given.
        settings: DuckDB settings in place of the defaults (temporary files next to the file).

    Raises:
        UserError: the folder cannot be written, the file is not a DuckDB file or of another
            version, another process holds it, or disk or memory run out in the block.
    """
    machine = machine or this_machine()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_unwritten(path):
            path.unlink()
    except OSError as error:
        raise UserError(f"the folder {path.parent} cannot be written: {error.strerror}") from None
    all_settings = {**_defaults(machine), "temp_directory": f"{path}.tmp", **settings}
    con = _connect(path, read_only=False, settings=all_settings)
    try:
        with limits_explained(path, machine):
            if _check_layout(con, path):
                create_tables(con)
            yield con
    finally:
        con.close()


@contextmanager
def limits_explained(path: Path, machine: Machine) -> Iterator[None]:
    """Turn DuckDB's errors for lack of disk or memory into one line that says what to do."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise UserError(
            f"DuckDB needs more memory than the {machine.duckdb_memory} it may use for {path}: "
            f"set {MEMORY_VARIABLE} to more, such as 2GB, and run the same command again"
        ) from None
    except duckdb.Error as error:
        if _FULL.search(str(error)):
            raise UserError(
                f"the disk that holds {path.parent} is full: "
                "make room and run the same command again"
            ) from None
        raise


def _defaults(machine: Machine) -> dict[str, str | int]:
    """Return DuckDB's settings on a machine."""
    return {**_SETTINGS, "threads": machine.threads, "memory_limit": machine.duckdb_memory}


@contextmanager
def read_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse for reading.

    Raises UserError if there is none or another process is writing it.
    """
    machine = this_machine()
    con = _open_to_read(path, machine)
    try:
        with limits_explained(path, machine):
            yield _checked(con, path)
    finally:
        con.close()


def _checked(con: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyConnection:
    """Return the connection. Raises UserError if a table is missing or of another version."""
    missing = [name for name in _check_layout(con, path) if TABLES[name].since_first]
    if missing:
        raise UserError(
            f"the warehouse {path} has no table {missing[0]} of this version: "
            f"run `redial build {path.stem}` first"
        )
    return con


def check_warehouse(path: Path) -> None:
    """Raise UserError if a file cannot be used as a warehouse, or another process holds it."""
    if path.exists() and not _is_unwritten(path):
        with closing(_open_to_read(path, this_machine())) as con:
            _check_layout(con, path)


def _open_to_read(path: Path, machine: Machine) -> duckdb.DuckDBPyConnection:
    if not path.exists() or _is_unwritten(path):
        raise UserError(f"there is no warehouse {path} yet: run `redial build {path.stem}` first")
    return _connect(path, read_only=True, settings=_defaults(machine))


def _is_unwritten(path: Path) -> bool:
    """Return True if a file is empty: DuckDB was killed between creating and writing it."""
    return path.is_file() and not path.stat().st_size


def _check_layout(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Return the names of missing tables.

    Raises UserError if a table has other columns than in this version.
    """
    if layout_of(con) > LAYOUT:
        raise UserError(
            f"the warehouse {path} was made by a newer version: use that version or a newer one"
        )
    missing, other = schema_mismatches(con)
    if other:
        raise UserError(
            f"the warehouse {path} was made by another version "
            f"(table {other[0]} has other columns): `redial upgrade {path.stem}` brings it up to "
            "date, and keeps every paid answer; or continue with that version"
        )
    return missing


def _connect(
    path: Path, *, read_only: bool, settings: dict[str, str | int]
) -> duckdb.DuckDBPyConnection:
    try:
        con = duckdb.connect(
            str(path),
            read_only=read_only,
            config={key: str(value) for key, value in settings.items()},
        )
    except duckdb.Error as error:
        if _LOCKED.search(str(error)):
            raise WarehouseHeld(
                f"another process is working on {path}: wait until it ends, or stop it"
            ) from None
        raise UserError(
            f"the warehouse {path} cannot be opened ({str(error).splitlines()[0]}): "
            "if it is damaged, no DuckDB file or of a newer DuckDB, put a good copy there, "
            "or move it away and build it again"
        ) from None
    # The progress bar would be written into the caller's output.
    con.execute("SET enable_progress_bar = false")
    return con


PATIENCE_S = 2.0  # a process that was just killed may still be exiting


@contextmanager
def domain_lock(home: Home, domain: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold a domain for this process.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
    """
    path = home.warehouse(domain).with_suffix(".lock")
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(exclusive_lock(path, wait_s=patience_s))
        except OSError as error:
            raise UserError(
                f"the folder {path.parent} cannot be written: {error.strerror}"
            ) from None
        except Held as error:
            who = f"process {error.holder}" if error.holder else "another process"
            raise UserError(
                f"{who} is working on domain {domain!r}: wait until it ends, or stop it"
            ) from None
        yield


@contextmanager
def read_idle_warehouse(home: Home, domain: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a domain's warehouse for reading, unless a build of it is running.

    DuckDB lets a reader keep a writer out. A reader of this kind is refused for as long as a build
    holds its domain, and a build that begins while one reads waits for it (`PATIENCE_S`): keep the
    block short.

    Raises:
        UserError: a build is running, or the warehouse is not there or cannot be read.
    """
    with ExitStack() as held:
        try:
            held.enter_context(shared_lock(home.warehouse(domain).with_suffix(".lock")))
        except Held:
            raise UserError(
                f"a build of {domain!r} is running: its dialogues can be looked at when it has "
                "ended"
            ) from None
        except OSError as error:
            raise UserError(
                f"the warehouse of {domain!r} cannot be read: {error.strerror}"
            ) from None
        yield held.enter_context(read_warehouse(home.warehouse(domain)))
