"""One process at a time works on a domain: a lock on a file beside its warehouse. Readers who come and go leave it to a build."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import duckdb

from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock, shared_lock
from tasks.settings import Home
from tasks.warehouse.opening import read_warehouse

PATIENCE_S = 2.0  # a process that was killed a moment ago may still be going down


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
            raise UserError(f"the folder {path.parent} cannot be written: {error.strerror}") from None
        except Held as error:
            who = f"process {error.holder}" if error.holder else "another process"
            raise UserError(f"{who} is working on domain {domain!r}: wait until it ends, or stop it") from None
        yield


@contextmanager
def read_idle_warehouse(home: Home, domain: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a domain's warehouse for reading, unless a build of it is running.

    DuckDB lets a reader keep a writer out. A reader of this kind is refused for as long as a build holds its domain, and a build
    that begins while one reads waits for it (`PATIENCE_S`): keep the block short.

    Raises:
        UserError: a build is running, or the warehouse is not there or cannot be read.
    """
    with ExitStack() as held:
        try:
            held.enter_context(shared_lock(home.warehouse(domain).with_suffix(".lock")))
        except Held:
            raise UserError(f"a build of {domain!r} is running: its dialogues can be looked at when it has ended") from None
        except OSError as error:
            raise UserError(f"the warehouse of {domain!r} cannot be read: {error.strerror}") from None
        yield held.enter_context(read_warehouse(home.warehouse(domain)))
