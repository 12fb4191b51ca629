"""Which dialogues a report shows: a few accepted of each kind, and one for each broken rule."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tasks.goals import Goals
from tasks.reports.dialogue_view import DialogueView, build_view, common_words
from tasks.verdicts import ACCEPTED, BRIEF_VERDICTS
from tasks.warehouse import rows

EACH = 3
MOST_REJECTED = 8

# Ids are content hashes: their order is as good as random, and the same in every report of the same
# dialogues.
_ACCEPTED = f"""
WITH {ACCEPTED},
placed AS (
    SELECT dialogue_id, recommendations,
           row_number() OVER (PARTITION BY recommendations ORDER BY dialogue_id) AS place
    FROM briefs SEMI JOIN accepted USING (dialogue_id)
)
SELECT dialogue_id
FROM placed WHERE place <= $each ORDER BY recommendations, dialogue_id LIMIT 4 * $each
"""
_REJECTED = f"""
WITH {BRIEF_VERDICTS},
fallen AS (
    SELECT r.rule, r.dialogue_id,
           row_number() OVER (PARTITION BY r.rule ORDER BY r.dialogue_id) AS place
    FROM rejections r
    JOIN brief_verdicts v ON v.dialogue_id = r.dialogue_id AND v.attempt = r.attempt
    WHERE v.verdict = 'rejected' AND r.severity = 'reject'
)
SELECT DISTINCT dialogue_id FROM fallen WHERE place = 1 ORDER BY dialogue_id LIMIT $most
"""


@dataclass(frozen=True)
class Samples:
    """Dialogues shown whole, at the attempt that counted."""

    accepted: list[DialogueView]
    rejected: list[DialogueView]


def samples(con: duckdb.DuckDBPyConnection, goals: Goals) -> Samples:
    """Return some dialogues of each kind.

    Up to three accepted ones for each number of recommendations, and one rejected for each rule.
    """
    common = common_words(con)
    accepted = [row["dialogue_id"] for row in rows(con, _ACCEPTED, {"each": EACH})]
    rejected = [row["dialogue_id"] for row in rows(con, _REJECTED, {"most": MOST_REJECTED})]
    return Samples(
        _that_count(build_view(con, accepted, common, goals)),
        _that_count(build_view(con, rejected, common, goals)),
    )


def _that_count(views: list[DialogueView]) -> list[DialogueView]:
    """Return those of the attempts that counted, in order of recommendations and id."""
    counted = [view for view in views if view.attempt == view.brief["attempt"]]
    return sorted(
        counted, key=lambda view: (view.brief["recommendations"], view.brief["dialogue_id"])
    )
