"""One process at a time works on a domain: a lock on a file beside its warehouse, given up by the system when the process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.errors import UserError
from tasks.settings import Home

PATIENCE_S = 2.0  # a process that was killed a moment ago may still be going down


@contextmanager
def domain_lock(home: Home, domain: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold a domain for this process.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
    """
    path = home.warehouse(domain).with_suffix(".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UserError(f"the folder {path.parent} cannot be written: {error.strerror}") from None
    try:
        _take(handle, domain, patience_s)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, domain: str, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
                who = f"process {holder}" if holder.isdigit() else "another process"
                raise UserError(f"{who} is working on domain {domain!r}: wait until it ends, or stop it") from None
            time.sleep(0.05)
