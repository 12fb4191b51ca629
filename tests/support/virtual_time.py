"""An event loop whose clock jumps to the next timer instead of waiting: minutes of pacing in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Hands every wait to the loop's clock."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("everybody waits and no timer is set")
        if not found and timeout:
            self.skipped += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only by waiting."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped


def run_virtually(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that only ever waits for timers. The loop's `time` is the clock."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
