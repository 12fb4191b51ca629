"""The parts of the limiter: a bucket that paces an amount a minute, and a window of calls in flight that adapts."""

from __future__ import annotations

MARGIN = 0.97  # of what the provider allows: room for its clock and for its way of counting
BURST_S = 1.0  # a bucket holds so many seconds' worth: with MARGIN, no window of a minute ever sees more than is allowed
SLOWEST = 0.05  # a pace is never cut below this share
CUT = 0.85  # the pace after a refusal, as a share of the pace before
RECOVERY_PER_S = 0.003  # growth of a pace that was cut, each second: a minute makes up for one cut
FIRST_WINDOW = 64  # calls in flight to begin with; doubles with each round until the first congestion

_NOTHING = 1e-6  # less is floating point's, and not worth a wait


class Bucket:
    """Lets `per_minute` of something through, evenly; None lets everything through.

    What is taken may exceed what is there by one request, and a correction may leave a debt: both are paid off by waiting.
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


class Window:
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
