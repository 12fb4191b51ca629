"""What is measured of one run: shares, means, distributions and amounts.

Two of a kind can be added up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tasks.intervals import Interval, exact_share

ACCEPTANCE: Final = "acceptance"
FIRST: Final = "first attempts accepted"
TOKENS: Final = "tokens a first attempt"
DOLLARS: Final = "dollars a first attempt"
RULE: Final = "rule "  # and the rule's name
MISSED: Final = 0.05  # probability that the interval shown beside a share misses


@dataclass(frozen=True)
class Share:
    """`count` of `total` dialogues."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1; None of nothing."""
        return self.count / self.total if self.total else None

    def interval(self) -> Interval:
        """Return the share with its exact 95 % limits. Raises ValueError of nothing."""
        return exact_share(self.count, self.total, MISSED)

    def __add__(self, other: Share) -> Share:
        return Share(self.count + other.count, self.total + other.total)


@dataclass(frozen=True)
class Mean:
    """A mean over `total` dialogues, and their standard deviation (0 for fewer than two)."""

    value: float
    spread: float
    total: int

    def __add__(self, other: Mean) -> Mean:
        total = self.total + other.total
        mean = (self.value * self.total + other.value * other.total) / total
        squares = self._squares_about(mean) + other._squares_about(mean)
        return Mean(mean, math.sqrt(squares / (total - 1)) if total > 1 else 0.0, total)

    def _squares_about(self, centre: float) -> float:
        return (self.total - 1) * self.spread**2 + self.total * (self.value - centre) ** 2


@dataclass(frozen=True)
class Distribution:
    """How often a fact had each value, in bins, seen in `dialogues` dialogues."""

    counts: Mapping[int, int]
    dialogues: int

    def __add__(self, other: Distribution) -> Distribution:
        counts = Counter(self.counts)
        counts.update(other.counts)
        return Distribution(dict(counts), self.dialogues + other.dialogues)


@dataclass(frozen=True)
class Figures:
    """All that is measured of one run.

    Shares, means and facts are those of the dialogues whose first attempt the run asked for.
    Amounts are of all the run's requests: `requests`, `prompt tokens`, `completion tokens`,
    `dollars` and `seconds`; one that is not known is left out.
    """

    shares: Mapping[str, Share]
    means: Mapping[str, Mean]
    facts: Mapping[str, Distribution]
    amounts: Mapping[str, float]


@dataclass(frozen=True)
class Point:
    """One run that asked for something. Times are UTC.

    Attributes:
        state: as the record of runs has it, such as `completed` or `budget`.
        figures: what was measured of it.
        settings_changes: what differs from the point before: settings, sources and code, in words.
    """

    run_id: str
    started_at: datetime
    state: str
    config_hash: str
    code_version: str
    figures: Figures
    settings_changes: tuple[str, ...] = ()
