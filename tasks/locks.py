"""File locks that the system releases when their holder ends, even if it is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.05


class Held(Exception):
    """Another process holds the lock; `holder` is its process id, if known."""

    def __init__(self, holder: int | None) -> None:
        super().__init__(f"held by process {holder}" if holder else "held by another process")
        self.holder = holder


@contextmanager
def exclusive_lock(path: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file for this process; its content names the process.

    Args:
        path: the lock file, in an existing folder. It is not deleted when the lock is released.
        wait_s: seconds to wait for another holder.

    Raises:
        Held: another process, or other code in this one, still holds it after that time.
        OSError: the file cannot be written, or its file system has no locks.
    """
    from filelock import FileLock, Timeout  # imports asyncio; who only looks needs neither

    # No fallback to a soft lock: one that is only a file would outlive a killed holder.
    lock = FileLock(
        path, mode=0o644, thread_local=False, fallback_to_soft=False, on_acquired=_note_holder
    )
    try:
        lock.acquire(timeout=wait_s, poll_interval=POLL_S)
    except Timeout:
        raise Held(_holder(path)) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Hold a lock file together with others while the block runs, so that nobody takes it alone.

    Never waits. A lock file that does not exist has never been taken, and is not held.

    Raises:
        Held: somebody has taken it.
        OSError: the file cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Held(_holder(path)) from None
        yield
    finally:
        os.close(handle)


def wait_until_released(path: Path) -> None:
    """Return once no process holds a lock file, or if there is none.

    Many processes may wait for one holder, and none of them may keep the next holder out: that
    needs a shared lock, which filelock does not have.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _note_holder(handle: int) -> None:
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)


def _holder(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
