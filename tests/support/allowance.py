"""The provider's side of a limit: how much was admitted in the last minute, and whether one more fits."""

from __future__ import annotations

from collections import deque


class SlidingWindow:
    """Counts what was admitted in the last `span_s` seconds and refuses what would go over `limit`.

    The strictest of the usual schemes.
    """

    def __init__(self, limit: int | None, span_s: float = 60.0) -> None:
        self.limit = limit
        self.span_s = span_s
        self._admitted: deque[tuple[float, int]] = deque()
        self._sum = 0

    def fits(self, amount: int, now: float) -> bool:
        """Return True if `amount` more would stay within the limit at time `now`."""
        if self.limit is None:
            return True
        while self._admitted and self._admitted[0][0] <= now - self.span_s:
            self._sum -= self._admitted.popleft()[1]
        return self._sum + amount <= self.limit

    def admit(self, amount: int, now: float) -> None:
        """Count what was let in."""
        if self.limit is not None:
            self._admitted.append((now, amount))
            self._sum += amount
