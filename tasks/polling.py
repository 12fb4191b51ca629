"""Waiting for something that cannot be waited for otherwise than by looking."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(there: Callable[[], bool], seconds: float, every_s: float = 0.1) -> bool:
    """Look until something is there, at least once and for so many seconds; return whether it is."""
    deadline = time.monotonic() + seconds
    while not there():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
    return True
