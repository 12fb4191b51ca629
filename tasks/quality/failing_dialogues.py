"""Reads failing dialogues with all that their evidence is made from, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import duckdb

from tasks.quality import plan_facts
from tasks.quality.evidence import Case, Said
from tasks.quality.told import item_reviews
from tasks.quality.values import Rule

CASES: Final = 4_000  # failing dialogues looked up at once
# Evidence that is found by comparison with the reviews.
UNSUPPORTED: Final = frozenset(
    {"unsupported_names", "unsupported_facts", "unsupported_details", "other_works"}
)
COMPARED: Final = UNSUPPORTED | {
    "copied_words",
    "near_copied_words",
    "target_hint",
    "target_nearness",
    "target_allusion",
    "far_claims",
}
NO_LIMIT: Final = 2**31 - 1

_QUEUE = """
CREATE OR REPLACE TEMP TABLE fact_queue AS
SELECT
    dialogue_id,
    $attempt AS attempt,
    user_id,
    template_id,
    row_number() OVER (ORDER BY dialogue_id) - 1 AS place
FROM briefs
WHERE dialogue_id IN (SELECT unnest($ids))
"""
_CASES = """
SELECT q.dialogue_id, d.parse_error, d.finish_reason, n.other_id, f.* EXCLUDE (dialogue_id, attempt)
FROM fact_queue q
JOIN dialogues d USING (dialogue_id, attempt)
JOIN dialogue_facts f USING (dialogue_id, attempt)
LEFT JOIN near_duplicates n ON n.dialogue_id = q.dialogue_id
ORDER BY q.place
"""
_JUDGED = """
SELECT dialogue_id, 'judge_' || kind, turn, string_agg(piece, '; ')
FROM judge_pieces
SEMI JOIN fact_queue USING (dialogue_id)
GROUP BY ALL
"""
_SAID_COLUMNS = 8  # before the facts
_CASE_COLUMNS = 4


def fetch_cases(
    con: duckdb.DuckDBPyConnection, attempt: int, ids: Sequence[str], rules: Sequence[Rule]
) -> dict[str, Case]:
    """Return the cases of some failing dialogues of one attempt, by dialogue id.

    Args:
        con: the domain's warehouse, after its facts were computed.
        attempt: the attempt judged.
        ids: at most `CASES` dialogues.
        rules: the rules that were broken; only the utterances that may show why are read, and
            the last one of each dialogue.
    """
    con.execute(_QUEUE, {"attempt": attempt, "ids": list(ids)})
    con.execute(plan_facts.BRIEFED)
    limits = [rule.kwargs.get("max_value", 0) for rule in rules if rule.evidence == "words"]
    said = _said(con, min(limits, default=NO_LIMIT))
    unsupported = any(rule.evidence in UNSUPPORTED for rule in rules)
    compares = any(rule.evidence in COMPARED for rule in rules)
    texts = _reviews(con, ids) if compares else {}
    items = _item_reviews(con, ids) if unsupported else {}
    judged = _judged(con)
    rows = con.execute(_CASES)
    names = [column[0] for column in rows.description][_CASE_COLUMNS:]
    cases = {
        row[0]: Case(
            facts=dict(zip(names, row[_CASE_COLUMNS:], strict=True)),
            parse_error=row[1] or "",
            finish_reason=row[2] or "",
            said=said.get(row[0], ()),
            reviews=[text for text, _ in texts.get(row[0], ())],
            target_reviews=[text for text, of_target in texts.get(row[0], ()) if of_target],
            other_id=row[3] or "",
            judged=judged.get(row[0], {}),
            item_reviews=items.get(row[0], ()),
        )
        for row in rows.fetchall()
    }
    for table in ("fact_queue", "briefed"):
        con.execute(f"DROP TABLE {table}")
    return cases


def _judged(con: duckdb.DuckDBPyConnection) -> dict[str, dict[tuple[str, int], str]]:
    """Return what judges found in each dialogue, by the fact that counts it and the turn."""
    found: dict[str, dict[tuple[str, int], str]] = {}
    for dialogue_id, name, turn, pieces in con.execute(_JUDGED).fetchall():
        found.setdefault(dialogue_id, {})[name, turn] = pieces
    return found


def _said(con: duckdb.DuckDBPyConnection, most_words: int) -> dict[str, list[Said]]:
    rows = con.execute(plan_facts.EVIDENCE, {"from": 0, "until": CASES, "most_words": most_words})
    names = [column[0] for column in rows.description][_SAID_COLUMNS:]
    return {
        dialogue_id: [_one_said(row, names) for row in group]
        for dialogue_id, group in groupby(rows.fetchall(), key=lambda row: row[0])
    }


def _one_said(row: tuple[Any, ...], names: Sequence[str]) -> Said:
    _, turn, role, text, titles, missing, foreigners, target_to_come, *facts = row
    return Said(
        turn,
        role,
        text,
        titles,
        missing,
        foreigners,
        target_to_come,
        dict(zip(names, facts, strict=True)),
    )


def _reviews(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str]
) -> dict[str, list[tuple[str, bool]]]:
    """Return the reviews of each dialogue's brief, and whether they are of its target."""
    places = sorted(ids)
    found: dict[str, list[tuple[str, bool]]] = {}
    drawn = con.execute(plan_facts.REVIEWS, {"from": 0, "until": CASES}).fetchall()
    for place, text, of_target in drawn:
        found.setdefault(places[place], []).append((text, of_target))
    return found


def _item_reviews(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return every review of the items of each dialogue's brief."""
    places = sorted(ids)
    found = item_reviews(con, range(len(places)))
    return {places[place]: texts for place, texts in found.items()}
