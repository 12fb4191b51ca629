"""What judges have read of the accepted dialogues, for the card: how many, and what of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import duckdb

from tasks.intervals import Interval, wilson
from tasks.quality.values import Suite
from tasks.verdicts import ACCEPTED

_COUNTED: Final = f"""
WITH {ACCEPTED}
SELECT
    count(*),
    count(*) FILTER (judged > 0),
    count(*) FILTER (judge_unread > 0 AND judged = 0)
FROM accepted
JOIN dialogue_facts USING (dialogue_id, attempt)
"""
# Of the first attempts that a judge has read and that no other rule rejects: how many it rejects.
_OTHERWISE_GOOD: Final = """
WITH others AS (
    SELECT DISTINCT dialogue_id
    FROM rejections
    WHERE attempt = 1
      AND severity = 'reject'
      AND NOT list_contains($judged, rule)
),
found AS (
    SELECT DISTINCT dialogue_id
    FROM rejections
    WHERE attempt = 1
      AND severity = 'reject'
      AND list_contains($judged, rule)
)
SELECT count(*), count(found.dialogue_id)
FROM dialogue_facts
SEMI JOIN briefs USING (dialogue_id)
ANTI JOIN others USING (dialogue_id)
LEFT JOIN found USING (dialogue_id)
WHERE attempt = 1
  AND judged > 0
"""


@dataclass(frozen=True)
class Judged:
    """What judges have read.

    Attributes:
        accepted: dialogues accepted.
        read: those with a verdict.
        unread: those that a judge was asked about and whose verdict could not be read.
        rest: the share of dialogues that a judge rejects and no other rule does, among those that
            it has read; what to expect of the accepted ones without a verdict. None if it has read
            none.
    """

    accepted: int
    read: int
    unread: int
    rest: Interval | None

    def counted(self) -> str:
        """Return how many dialogues were read, in words."""
        text = f"{self.read:,} of {self.accepted:,}"
        return f"{text}; no verdict could be read of {self.unread:,}" if self.unread else text

    def expected(self) -> str:
        """Return what to expect of the dialogues that were not read, in words; empty if none."""
        if self.rest is None or self.read == self.accepted:
            return ""
        limits = (self.rest.value, self.rest.low, self.rest.high)
        value, low, high = (100 * share for share in limits)
        return f"{value:.1f} % [{low:.1f}, {high:.1f}], as in the sample that was read"


def count_judged(con: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> Judged:
    """Return what judges have read of the accepted dialogues, after the verdicts."""
    rules = chain.from_iterable(suite.rules for suite in suites)
    heeding = [rule.rule for rule in rules if rule.heeds_judge]
    accepted, read, unread = con.execute(_COUNTED).fetchall()[0]
    otherwise_good, rejected = con.execute(_OTHERWISE_GOOD, {"judged": heeding}).fetchall()[0]
    rest = wilson(rejected, otherwise_good) if otherwise_good else None
    return Judged(accepted, read, unread, rest)
