"""The rate limiter: requests and tokens a minute, calls in flight, Retry-After, circuit breaker."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tasks.llm.circuit_breaker import CircuitBreaker
from tasks.llm.errors import CallError
from tasks.settings import Limits

MARGIN = 0.97  # of what the provider allows: room for its clock and its way of counting
# A bucket holds so many seconds' worth. With MARGIN, no window of a minute ever sees more than is
# allowed.
BURST_S = 1.0
MIN_PACE = 0.05  # a pace is never cut below this share
CUT = 0.85  # the pace after a refusal, as a share of the pace before
RECOVERY_PER_S = 0.003  # growth of a pace that was cut, each second: a minute makes up for one cut
SECONDS_BETWEEN_CUTS = 4.0  # a lower pace needs a while to show
FIRST_WINDOW = 64  # calls in flight at first; doubles with each round until the first congestion

_ROUNDING = 1e-6  # less is floating point's, and not worth a wait


class TokenBucket:
    """Lets `per_minute` of something through, evenly; None lets everything through.

    What is taken may exceed what is there by one request, and a correction may leave a debt: both
    are paid off by waiting.
    """

    def __init__(self, per_minute: float | None, now: float) -> None:
        self.per_minute = per_minute
        self.pace = 1.0
        self._level = self._capacity()
        self._filled_at = now

    def wait_s(self, amount: float, now: float) -> float:
        """Return the seconds until `amount` may be taken; 0 when it may be now."""
        if self.per_minute is None:
            return 0.0
        self._fill(now)
        missing = min(amount, self._capacity()) - self._level
        return missing / self._rate() if missing > _ROUNDING else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take an amount.

        A negative one gives back what was reserved and not used, even over the capacity.
        """
        if self.per_minute is not None:
            self._fill(now)
            self._level -= amount

    def cut(self) -> None:
        """Slow down after a refusal."""
        self.pace = max(MIN_PACE, self.pace * CUT)

    def _rate(self) -> float:
        return (self.per_minute or 0.0) / 60 * MARGIN * self.pace

    def _capacity(self) -> float:
        return max(1.0, (self.per_minute or 0.0) / 60 * BURST_S)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._filled_at)
        self._filled_at = now
        self._level = max(self._level, min(self._capacity(), self._level + passed * self._rate()))
        self.pace = min(1.0, self.pace * (1 + RECOVERY_PER_S) ** passed)


class AdaptiveConcurrency:
    """How many calls may be in flight: additive increase, multiplicative decrease (AIMD)."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.size = float(min(ceiling, FIRST_WINDOW))
        self.in_flight = 0
        self._congested = False
        self._shrunk_at = float("-inf")

    @property
    def full(self) -> bool:
        """True if one more call would be too many."""
        return self.in_flight >= max(1, int(self.size))

    def grow(self) -> None:
        """Count a success.

        The window doubles each round at first; after a congestion it grows by a twentieth of the
        ceiling a round.
        """
        step = max(1.0, self.ceiling / 20) / self.size if self._congested else 1.0
        self.size = min(float(self.ceiling), self.size + step)

    def shrink(self, started: float, now: float) -> None:
        """Count a congestion met by a call begun at `started`.

        Calls begun before the last cut say nothing new.
        """
        if started >= self._shrunk_at:
            self.size = max(1.0, min(self.size, float(self.in_flight + 1)) / 2)
            self._shrunk_at = now
        self._congested = True


@dataclass
class Slot:
    """A place among the calls in flight.

    Attributes:
        started: when it was granted, on the limiter's clock, in seconds.
        number: of the call, from 1.
        tokens: set aside for it.
    """

    started: float
    number: int
    tokens: float


class RateLimiter:
    """Decides when the next call may be sent: first come, first served, none is refused."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        now = clock()
        self.limits = limits
        self.window = AdaptiveConcurrency(limits.concurrency)
        self.requests = TokenBucket(limits.rpm, now)
        self.tokens = TokenBucket(limits.tpm, now)
        self.breaker = CircuitBreaker(limits)
        self._clock = clock
        self._granted = 0
        self._cut_at = float("-inf")
        self._waiting: deque[tuple[float, asyncio.Future[Slot]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed: BaseException | None = None
        self._ended = asyncio.Event()

    async def acquire(self, tokens: float) -> Slot:
        """Wait until a call of about so many tokens, input and output, may be sent.

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
        """Give a slot back and correct the token bucket by what was used; None if not known."""
        self.window.in_flight -= 1
        if used_tokens is not None:
            self.tokens.take(used_tokens - slot.tokens, self._clock())
        self._admit()

    def succeeded(self) -> None:
        """Count an answer."""
        self.breaker.succeeded()
        self.window.grow()

    def failed(self, slot: Slot, error: CallError) -> None:
        """Count a transient failure: slow down, pause, and stop the run after too many in a row.

        Raises:
            RunStopped: the circuit breaker opened.
        """
        now = self._clock()
        self._slow_down(slot, error, now)
        if error.retry_after_s is not None:
            self.breaker.obey(error.retry_after_s, slot.started, now)
        self.breaker.failed(slot.number, self._granted, error, now)

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
        """Let nothing more through: every waiting and every later call raises `error`."""
        self._closed = self._closed or error
        self._ended.set()
        self._admit()

    @property
    def paused_s(self) -> float:
        """Seconds until the next call may be sent, where the provider asked for a pause."""
        return max(0.0, self.breaker.not_before - self._clock())

    def _slow_down(self, slot: Slot, error: CallError, now: float) -> None:
        """Lower the pace on a refusal under known limits, else the calls in flight."""
        if error.kind == "rate" and (self.limits.rpm or self.limits.tpm):
            if slot.started >= self._cut_at + SECONDS_BETWEEN_CUTS:
                self.requests.cut()
                self.tokens.cut()
                self._cut_at = now
        elif error.kind in ("rate", "overload", "timeout", "connection"):
            self.window.shrink(slot.started, now)

    def _admit(self) -> None:
        """Grant every slot that may be granted now.

        One each turn of the event loop would leave most of a wide window empty.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            tokens, granted = self._waiting[0]
            if not granted.done():
                if self._closed is not None:
                    granted.set_exception(self._closed)
                elif not self._may_send(tokens):
                    return
                else:
                    granted.set_result(self._grant(tokens))
            self._waiting.popleft()

    def _may_send(self, tokens: float) -> bool:
        """Return True if the next call may be sent now; sets a timer where it only has to wait."""
        now = self._clock()
        wait_s = max(
            self.breaker.not_before - now,
            self.requests.wait_s(1, now),
            self.tokens.wait_s(tokens, now),
        )
        if wait_s > 0:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._admit)
        return wait_s <= 0 and not self.window.full

    def _grant(self, tokens: float) -> Slot:
        now = self._clock()
        self.requests.take(1, now)
        self.tokens.take(tokens, now)
        self.window.in_flight += 1
        self._granted += 1
        return Slot(now, self._granted, tokens)
