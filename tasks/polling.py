"""Waiting by polling."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], seconds: float, every_s: float = 0.1) -> bool:
    """Poll a condition, at least once and for at most `seconds`; return True if it is met."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
    return True
