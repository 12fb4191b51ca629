"""Collects garbage in a thread of its own: a Prefect server on SQLite would block for a minute.

Python's collector runs in whichever thread makes the next object, in a server nearly always the
event loop's. A database cursor found there is reset, which waits for its connection; that may
itself wait up to 60 seconds for the database's write lock, whose holder goes on only when the event
loop does. In a thread of its own the collector may wait, and the event loop goes on.
"""

from __future__ import annotations

import gc
import threading
import time

EVERY_S = 2.0
WHOLE = 30  # every 30th time all generations, else the two young ones


SELDOM = (50_000, 20, 50)  # Python's own thresholds: 700, 10, 10


def collect_seldom() -> None:
    """Let the collector look less often, from the start of a process on.

    Large libraries make half a million objects that stay; looking through them again and again is a
    tenth of the time that their import takes.
    """
    gc.set_threshold(*SELDOM)


def collect_in_own_thread() -> None:
    """Switch the collector off in every thread but one. Returns at once."""
    gc.disable()
    threading.Thread(target=_collect_for_ever, daemon=True, name="gc").start()


def _collect_for_ever() -> None:
    times = 0
    while True:
        time.sleep(EVERY_S)
        times += 1
        gc.collect(2 if times % WHOLE == 0 else 1)
