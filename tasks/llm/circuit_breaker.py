"""Pauses after failures in a row, and ends the run when a provider does not recover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.llm.errors import CallError, RunStopped
from tasks.settings import Limits

FAILURES_BEFORE_PAUSE = 3  # in a row; fewer are ordinary
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
LONGEST_DATE_S = 10.0 * 365 * 86400  # a date that can be written, whatever a provider asks for


class CircuitBreaker:
    """Counts failures in a row, and knows until when nothing may be sent.

    A failure counts only if its call began after the last failure that counted: many calls that
    fail together are one failure. So a short fault with 256 calls in flight is survived, and a
    provider that stays down is not.
    """

    def __init__(self, limits: Limits) -> None:
        self.failures_in_a_row = 0
        self.not_before = float("-inf")  # on the limiter's clock, in seconds
        self._max_failures, self._max_wait_s = limits.breaker_failures, limits.max_wait_s
        self._counted_upto = 0
        # The end of the longest pause allowed, as long as no call has succeeded since.
        self._waited_until: float | None = None

    def succeeded(self) -> None:
        """Count an answer."""
        self.failures_in_a_row = 0
        self._waited_until = None

    def failed(self, number: int, sent: int, error: CallError, now: float) -> None:
        """Count a transient failure.

        Args:
            number: of the failed call, from 1.
            sent: calls sent so far.
            error: what failed.
            now: on the limiter's clock, in seconds.

        Raises:
            RunStopped: too many failures in a row.
        """
        if number <= self._counted_upto:
            return
        self._counted_upto = sent
        self.failures_in_a_row += 1
        if self.failures_in_a_row >= self._max_failures:
            raise RunStopped(
                "breaker",
                f"{self.failures_in_a_row} failures in a row, the last: {error}; "
                "run again to go on",
            )
        if self.failures_in_a_row >= FAILURES_BEFORE_PAUSE:
            doublings = self.failures_in_a_row - FAILURES_BEFORE_PAUSE
            self._pause(now + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**doublings))

    def obey(self, retry_after_s: float, started: float, now: float) -> None:
        """Pause as long as the provider asks, but not longer than the user allows.

        Raises:
            RunStopped: a call that `started` after the longest pause allowed was refused with
                another long one.
        """
        longest = self._max_wait_s
        if retry_after_s > longest:
            if self._waited_until is not None and started >= self._waited_until:
                raise RunStopped("breaker", _wait_message(retry_after_s, longest))
            if self._waited_until is None:
                self._waited_until = now + longest
        self._pause(now + min(retry_after_s, longest))

    def _pause(self, until: float) -> None:
        self.not_before = max(self.not_before, until)


def _wait_message(retry_after_s: float, longest_s: float) -> str:
    until = datetime.now(UTC) + timedelta(seconds=min(retry_after_s, LONGEST_DATE_S))
    return (
        f"the provider asks to wait until {until:%Y-%m-%d %H:%M} UTC, longer than "
        f"generate.limits.max_wait_s ({longest_s:g} s) allows; run again then, or raise it"
    )
