"""What readers say of dialogues that people have graded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import duckdb

from tasks.calibration.figures import GOOD, Reading

_REJECTED: Final = """
SELECT DISTINCT dialogue_id
FROM rejections
WHERE severity = 'reject'
  AND attempt = 1
"""


def by_people(reader: str, graded: Mapping[str, str], rejected: Iterable[str]) -> list[Reading]:
    """Return what a reader says of graded dialogues, good ones first.

    Args:
        reader: a judge, or all rules.
        graded: by dialogue id, the kind of defect that people see, or `GOOD`.
        rejected: ids of the dialogues that the reader rejects.
    """
    fell = set(rejected)
    kinds: dict[str, set[str]] = {}
    for dialogue_id, kind in graded.items():
        kinds.setdefault(kind, set()).add(dialogue_id)
    in_order = sorted(kinds, key=lambda kind: (kind != GOOD, kind))
    return [
        Reading(reader, "people", kind, len(kinds[kind]), len(fell & kinds[kind]))
        for kind in in_order
    ]


def settled(said: Iterable[tuple[str, str]], none: str) -> dict[str, str]:
    """Return the kind of defect of each dialogue by what most people say, or `GOOD`.

    Where two kinds are named as often, a defect counts before none, and else the first by name.

    Args:
        said: a dialogue's id and what one person says of it, for each that says something.
        none: what they say of one without a defect.
    """
    votes: dict[str, Counter[str]] = {}
    for dialogue_id, kind in said:
        votes.setdefault(dialogue_id, Counter())[GOOD if kind == none else kind] += 1
    return {
        dialogue_id: min(counted, key=lambda kind: (-counted[kind], kind == GOOD, kind))
        for dialogue_id, counted in votes.items()
    }


def rejected_by_rules(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the dialogues whose first attempt a rule rejects."""
    return {row[0] for row in con.execute(_REJECTED).fetchall()}
