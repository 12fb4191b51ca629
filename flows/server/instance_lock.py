"""Ties processes to `redial serve`: whoever follows its lock ends with it, even by kill -9.

The system gives a lock up when its holder dies. A follower waits for that lock in a thread; getting
it means that the holder is gone. Unlike a parent's process id this reaches grandchildren in
sessions of their own, such as a worker's flow runs.

`python -m flows.server.instance_lock LOCK MODULE ARGUMENT...` runs a module so.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.server.process_ending import end_own_group
from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock, wait_until_released

LOCK = "REDIAL_SERVE_LOCK"
PATIENCE_S = 5.0  # between asking a process group to end and ending it


@contextmanager
def single_instance_lock(lock: Path) -> Iterator[None]:
    """Hold the lock that others follow. Raises UserError when another process holds it."""
    with ExitStack() as held:
        try:
            held.enter_context(exclusive_lock(lock))
        except Held:
            raise UserError(
                f"`redial serve` is already running on the data folder {lock.parents[2]}: "
                "stop that one first"
            ) from None
        yield


def follow(lock: Path) -> None:
    """End this process and its group once nobody holds the lock any more. Returns at once."""
    threading.Thread(
        target=_end_without_holder, args=(lock,), daemon=True, name="follow-lock"
    ).start()


def exit_when_server_stops() -> None:
    """Follow the `redial serve` this process was started under, if there is one."""
    lock = os.environ.get(LOCK)
    if lock and not any(thread.name == "follow-lock" for thread in threading.enumerate()):
        follow(Path(lock))


def _end_without_holder(lock: Path) -> None:
    wait_until_released(lock)
    end_own_group(PATIENCE_S)


def main(lock: str, module: str, *arguments: str) -> None:
    """Run a module as `python -m` would, tied to a lock."""
    follow(Path(lock))
    # A shell's background job would ignore it, and Prefect ends itself by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
