"""The one limiter: requests and tokens a minute, calls in flight, Retry-After, and a breaker for a provider that is down."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.llm.errors import CallError, RunStopped
from tasks.llm.pacing import Bucket, Window
from tasks.settings import Limits

PATIENCE = 3  # failures in a row before everything pauses; fewer are weather
LONGEST_TOLD_S = 10.0 * 365 * 86400  # a date that can be written, whatever a provider asks for
CUT_APART_S = 4.0  # a lower pace needs a while to show
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0


@dataclass
class Slot:
    """Leave for one call: when it was given, the how-manieth it is, and how many tokens were set aside for it."""

    started: float
    number: int
    tokens: float


class Limiter:
    """Says when the next call may go. First come, first served; nothing is ever refused, only made to wait.

    A failure counts for the breaker only if its call began after the last failure that counted: a crowd of calls that fail
    together is one failure. So a hiccup with 256 calls in flight is survived and a provider that stays away is not.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        now = clock()
        self.limits = limits
        self.window = Window(limits.concurrency)
        self.requests = Bucket(limits.rpm, now)
        self.tokens = Bucket(limits.tpm, now)
        self.failures_in_a_row = 0
        self._clock = clock
        self._given = 0
        self._counted_upto = 0
        self._not_before = float("-inf")
        self._cut_at = float("-inf")
        self._waiting: deque[tuple[float, asyncio.Future[Slot]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed: BaseException | None = None
        self._ended = asyncio.Event()
        self._waited_until: float | None = None  # end of the longest pause allowed, while no call has succeeded since

    async def acquire(self, tokens: float) -> Slot:
        """Wait for leave to send a call of about so many tokens, input and output. Raises what `close` was given."""
        granted: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append((tokens, granted))
        self._admit()
        try:
            slot = await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self.release(granted.result(), 0.0)
            raise
        if self._closed is not None:
            self.release(slot, 0.0)
            raise self._closed
        return slot

    def release(self, slot: Slot, used_tokens: float | None) -> None:
        """Give leave back; the token bucket is corrected by what was used, None meaning nothing is known."""
        self.window.in_flight -= 1
        if used_tokens is not None:
            self.tokens.take(used_tokens - slot.tokens, self._clock())
        self._admit()

    def succeeded(self) -> None:
        """Count an answer."""
        self.failures_in_a_row = 0
        self._waited_until = None
        self.window.grow()

    def failed(self, slot: Slot, error: CallError) -> None:
        """Count a transient failure: slow down, pause, and stop the run when nothing but failures come.

        Raises:
            RunStopped: the breaker opened.
        """
        now = self._clock()
        self._slow_down(slot, error, now)
        if error.retry_after_s is not None:
            self._obey(slot, error.retry_after_s, now)
        if slot.number <= self._counted_upto:
            return
        self.failures_in_a_row += 1
        self._counted_upto = self._given
        if self.failures_in_a_row >= self.limits.breaker_failures:
            raise RunStopped("breaker", f"{self.failures_in_a_row} failures in a row, the last: {error}; run again to go on")
        if self.failures_in_a_row >= PATIENCE:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self.failures_in_a_row - PATIENCE))
            self._not_before = max(self._not_before, now + pause)

    async def sleep(self, seconds: float) -> None:
        """Wait before another try, but no longer than until the run ends. Raises what `close` was given."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, self.limits.max_wait_s)):
                await self._ended.wait()
        if self._closed is not None:
            raise self._closed

    def close(self, error: BaseException) -> None:
        """Let nothing more through: whoever waits, or comes later, gets `error`."""
        self._closed = self._closed or error
        self._ended.set()
        self._admit()

    @property
    def paused_s(self) -> float:
        """Seconds until the next call may go, where the provider asked for a pause."""
        return max(0.0, self._not_before - self._clock())

    def _obey(self, slot: Slot, retry_after_s: float, now: float) -> None:
        """Pause as long as the provider asks, but not longer than the user allows.

        Raises:
            RunStopped: a call sent after the longest pause that is allowed was refused with another long one.
        """
        longest = self.limits.max_wait_s
        if retry_after_s > longest:
            if self._waited_until is not None and slot.started >= self._waited_until:
                until = datetime.now(UTC) + timedelta(seconds=min(retry_after_s, LONGEST_TOLD_S))
                raise RunStopped(
                    "breaker",
                    f"the provider asks to wait until {until:%Y-%m-%d %H:%M} UTC, longer than generate.limits.max_wait_s "
                    f"({longest:g} s) allows; run again then, or raise it",
                )
            self._waited_until = now + longest if self._waited_until is None else self._waited_until
        self._not_before = max(self._not_before, now + min(retry_after_s, longest))

    def _slow_down(self, slot: Slot, error: CallError, now: float) -> None:
        """Lower the pace on a refusal under known limits, and the calls in flight on any other congestion."""
        if error.kind == "rate" and (self.limits.rpm or self.limits.tpm):
            if slot.started >= self._cut_at + CUT_APART_S:
                self.requests.cut()
                self.tokens.cut()
                self._cut_at = now
        elif error.kind in ("rate", "overload", "timeout", "connection"):
            self.window.shrink(slot.started, now)

    def _admit(self) -> None:
        """Let in whoever may go now, all of them at once: one a turn of the event loop would leave most of a wide window empty."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            tokens, granted = self._waiting[0]
            if not granted.done():
                if self._closed is not None:
                    granted.set_exception(self._closed)
                elif not self._may_go(tokens):
                    return
                else:
                    granted.set_result(self._take(tokens))
            self._waiting.popleft()

    def _may_go(self, tokens: float) -> bool:
        """Tell whether the next call may go now; if only time keeps it, ask again when that has passed."""
        now = self._clock()
        wait = max(self._not_before - now, self.requests.wait_s(1, now), self.tokens.wait_s(tokens, now))
        if wait > 0:
            self._timer = asyncio.get_running_loop().call_later(wait, self._admit)
        return wait <= 0 and not self.window.full

    def _take(self, tokens: float) -> Slot:
        now = self._clock()
        self.requests.take(1, now)
        self.tokens.take(tokens, now)
        self.window.in_flight += 1
        self._given += 1
        return Slot(now, self._given, tokens)
