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
from tasks.settings import Limits

MARGIN = 0.97  # of what the provider allows: room for its clock and for its way of counting
# a bucket holds so many seconds' worth: with MARGIN, no window of a minute ever sees more than is
# allowed
BURST_S = 1.0
SLOWEST = 0.05  # a pace is never cut below this share
CUT = 0.85  # the pace after a refusal, as a share of the pace before
RECOVERY_PER_S = 0.003  # growth of a pace that was cut, each second: a minute makes up for one cut
FIRST_WINDOW = (
    64  # calls in flight to begin with; doubles with each round until the first congestion
)

_NOTHING = 1e-6  # less is floating point's, and not worth a wait


class TokenBucket:
    """Lets `per_minute` of something through, evenly; None lets everything through.

    What is taken may exceed what is there by one request, and a correction may leave a debt: both
    are paid off by waiting.
    """

    def __init__(self, per_minute: float | None, now: float) -> None:
        self.per_minute = per_minute
        self.pace = 1.0
        self._level = self._capacity()
        self._seen = now

    def wait_s(self, amount: float, now: float) -> float:
        """Return the seconds until `amount` may be taken; 0 when it may be now."""
        if self.per_minute is None:
            return 0.0
        self._fill(now)
        short = min(amount, self._capacity()) - self._level
        return short / self._rate() if short > _NOTHING else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take an amount; a negative one gives back what was set aside and not used, even over what the bucket holds."""
        if self.per_minute is not None:
            self._fill(now)
            self._level -= amount

    def cut(self) -> None:
        """Slow down after a refusal."""
        self.pace = max(SLOWEST, self.pace * CUT)

    def _rate(self) -> float:
        return (self.per_minute or 0.0) / 60 * MARGIN * self.pace

    def _capacity(self) -> float:
        return max(1.0, (self.per_minute or 0.0) / 60 * BURST_S)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._seen)
        self._seen = now
        self._level = max(self._level, min(self._capacity(), self._level + passed * self._rate()))
        self.pace = min(1.0, self.pace * (1 + RECOVERY_PER_S) ** passed)


class AdaptiveConcurrency:
    """How many calls may be in flight: more by and by while all goes well, half as many on congestion."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.size = float(min(ceiling, FIRST_WINDOW))
        self.in_flight = 0
        self._congested = False
        self._shrunk_at = float("-inf")

    @property
    def full(self) -> bool:
        """Whether one more call would be too many."""
        return self.in_flight >= max(1, int(self.size))

    def grow(self) -> None:
        """Count a success: the window doubles each round at first; after a congestion it grows by a twentieth of the ceiling a round."""
        step = max(1.0, self.ceiling / 20) / self.size if self._congested else 1.0
        self.size = min(float(self.ceiling), self.size + step)

    def shrink(self, started: float, now: float) -> None:
        """Count a congestion met by a call begun at `started`: calls begun before the last cut say nothing new."""
        if started >= self._shrunk_at:
            self.size = max(1.0, min(self.size, float(self.in_flight + 1)) / 2)
            self._shrunk_at = now
        self._congested = True


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


class RateLimiter:
    """Says when the next call may go.

    First come, first served; nothing is ever refused, only made to wait.

    A failure counts for the breaker only if its call began after the last failure that counted: a
    crowd of calls that fail together is one failure. So a hiccup with 256 calls in flight is
    survived and a provider that stays away is not.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        now = clock()
        self.limits = limits
        self.window = AdaptiveConcurrency(limits.concurrency)
        self.requests = TokenBucket(limits.rpm, now)
        self.tokens = TokenBucket(limits.tpm, now)
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
        self._waited_until: float | None = (
            None  # end of the longest pause allowed, while no call has succeeded since
        )

    async def acquire(self, tokens: float) -> Slot:
        """Wait for leave to send a call of about so many tokens, input and output.

        Raises what `close` was given.
        """
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
            raise RunStopped(
                "breaker",
                f"{self.failures_in_a_row} failures in a row, the last: {error}; run again to go on",
            )
        if self.failures_in_a_row >= PATIENCE:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self.failures_in_a_row - PATIENCE))
            self._not_before = max(self._not_before, now + pause)

    async def sleep(self, seconds: float) -> None:
        """Wait before another try, but no longer than until the run ends.

        Raises what `close` was given.
        """
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
            RunStopped: a call sent after the longest pause that is allowed was refused with another
                long one.
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
        wait = max(
            self._not_before - now, self.requests.wait_s(1, now), self.tokens.wait_s(tokens, now)
        )
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
