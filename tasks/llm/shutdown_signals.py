"""Ctrl-C and SIGTERM let calls in flight arrive, because they are billed in any case."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from tasks.llm.errors import RunStopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Shutdown:
    """On the first signal stops new calls and starts the grace period; the second ends it."""

    def __init__(self, stop: Callable[[RunStopped], None], grace_s: float) -> None:
        self.received: signal.Signals | None = None
        self._stop, self._grace_s = stop, grace_s
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None

    def on_signal(self, number: signal.Signals) -> None:
        if self.received is not None:
            self._cancel()
            return
        self.received = number
        self._timer = self._loop.call_later(self._grace_s, self._cancel)
        self._stop(
            RunStopped("signal", f"stopped by {number.name}; run the same command again to go on")
        )

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


@asynccontextmanager
async def graceful_shutdown(
    stop: Callable[[RunStopped], None], grace_s: float
) -> AsyncIterator[None]:
    """Delay SIGINT and SIGTERM until the block has ended, for at most `grace_s` seconds.

    On the first signal `stop` is called, which must let nothing more be sent; the block goes on
    until what is in flight has arrived and is stored, and then the signal takes its former effect.
    A second signal, or the end of the grace period, cancels the block. Outside the main thread,
    where Python handles no signals, the block runs as it is.

    Args:
        stop: given the reason, in the event loop's thread.
        grace_s: seconds.
    """
    shutdown = _Shutdown(stop, grace_s)
    earlier = _install(shutdown)
    try:
        yield
    finally:
        shutdown.close()
        _restore(earlier)
        if shutdown.received is not None:
            os.kill(os.getpid(), shutdown.received)


def _install(shutdown: _Shutdown) -> dict[signal.Signals, Any]:
    loop = asyncio.get_running_loop()
    earlier: dict[signal.Signals, Any] = {}
    with suppress(ValueError, RuntimeError, NotImplementedError):  # not the main thread
        for number in SIGNALS:
            handler = signal.getsignal(number)
            loop.add_signal_handler(number, shutdown.on_signal, number)
            earlier[number] = handler
    return earlier


def _restore(earlier: dict[signal.Signals, Any]) -> None:
    loop = asyncio.get_running_loop()
    for number, handler in earlier.items():
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
