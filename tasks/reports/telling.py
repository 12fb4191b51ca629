"""One dialogue as a person reads it: what was said with its goals, the items, the reviews behind it, marks on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.goals import Goals
from tasks.marks import speech_hash
from tasks.reports.marking import Piece, Span, item_spans, pieces, shared_spans
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import Rows, rows
from tasks.web import shortened

MOST_SHOWN = 6_000  # characters of one text on a page
COMMON_SHARE = 0.03  # a word that stands in more than this share of reviews says nothing about one
_SAMPLE = 2_000  # reviews

_COMMON = r"""
WITH drawn AS (SELECT text FROM reviews WHERE core ORDER BY review_id LIMIT $sample),
words AS (SELECT unnest(list_distinct(regexp_extract_all(lower(text), '[\p{L}\p{N}]+(?:[''’-][\p{L}\p{N}]+)*'))) AS word FROM drawn)
SELECT word FROM words GROUP BY word HAVING count(*) > $share * (SELECT count(*) FROM drawn)
"""
_BRIEFS = f"""
WITH {BRIEF_VERDICTS}
SELECT b.dialogue_id, b.user_id, b.position, b.template_id, b.target_item_id, b.recommendations, b.turns,
       v.verdict, v.attempt
FROM briefs b JOIN brief_verdicts v USING (dialogue_id)
WHERE b.dialogue_id IN (SELECT unnest($ids)) ORDER BY b.brief_order
"""
_ITEMS = """
SELECT i.dialogue_id, i.slot, i.item_id, i.title, i.collection, own.text AS own_review, own.rating, own.review_id AS own_review_id,
       other.text AS other_review, other.rating AS other_rating, other.review_id AS other_review_id
FROM brief_items i LEFT JOIN reviews own ON own.review_id = i.user_review_id LEFT JOIN reviews other ON other.review_id = i.other_review_id
WHERE i.dialogue_id IN (SELECT unnest($ids)) ORDER BY i.dialogue_id, i.slot
"""
_SAID = """
SELECT dialogue_id, attempt, turn, role, text, goals, item_ids, words
FROM utterances WHERE dialogue_id IN (SELECT unnest($ids)) ORDER BY dialogue_id, attempt, turn
"""
_PLANNED = """
SELECT b.dialogue_id, t.turn, t.introduces, t.refers FROM template_turns t JOIN briefs b USING (template_id)
WHERE b.dialogue_id IN (SELECT unnest($ids)) ORDER BY b.dialogue_id, t.turn
"""
_BROKEN = """
SELECT dialogue_id, attempt, rule, severity, turn, evidence, because FROM rejections
WHERE dialogue_id IN (SELECT unnest($ids)) ORDER BY dialogue_id, attempt, turn, rule
"""


@dataclass(frozen=True)
class ToldItem:
    """One slot: the item, how the user stands to it, and the reviews with what the dialogue took from them marked."""

    slot: int
    item_id: str
    title: str
    collection: str
    rating: float | None
    own_review: list[Piece]
    other_review: list[Piece]


@dataclass(frozen=True)
class ToldTurn:
    """One utterance in marked pieces, with its goals and the rules it broke."""

    turn: int
    role: str
    goals: list[str]
    pieces: list[Piece]
    words: int
    broken: Rows


@dataclass(frozen=True)
class Told:
    """One attempt at one brief, whole. `broken` holds the rules the dialogue broke as a whole."""

    brief: dict[str, Any]
    attempt: int
    items: list[ToldItem]
    turns: list[ToldTurn]
    broken: Rows


@dataclass(frozen=True)
class _Reading:
    """What marking goes by: words that tell nothing, and which review a sub-goal draws on."""

    common: frozenset[str]
    needed: Mapping[str, str]


def common_words(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the words that stand in many reviews of the domain, found by counting, so that it works in any language."""
    return frozenset(row["word"] for row in rows(con, _COMMON, {"sample": _SAMPLE, "share": COMMON_SHARE}))


def said_hashes(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> dict[int, str]:
    """Return the hash of what was said at each attempt at a dialogue, by which marks know it."""
    said: dict[int, list[tuple[str, str]]] = {}
    for row in rows(con, _SAID, {"ids": [dialogue_id]}):
        said.setdefault(row["attempt"], []).append((row["role"], row["text"]))
    return {attempt: speech_hash(turns) for attempt, turns in said.items()}


def broken_rules(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> Rows:
    """Return every rule a dialogue broke at any attempt, with the offending piece."""
    return rows(con, _BROKEN, {"ids": [dialogue_id]})


def tell(con: duckdb.DuckDBPyConnection, ids: Sequence[str], common: frozenset[str], goals: Goals) -> list[Told]:
    """Return every attempt that was read of some dialogues, in the order of the briefs; a brief without one comes with no turns.

    Words are compared only where a sub-goal of the turn draws on a review, with reviews of the item talked about: elsewhere what is
    shared is chance.
    """
    needed = {goal.id: f"{'own' if goal.review == 'user' else 'other'}_review" for goal in goals.sub_goals if goal.review}
    values = {"ids": list(ids)}
    items, said, planned, broken = (_by_dialogue(rows(con, query, values)) for query in (_ITEMS, _SAID, _PLANNED, _BROKEN))
    told = []
    for brief in rows(con, _BRIEFS, values):
        key = brief["dialogue_id"]
        attempts = sorted({row["attempt"] for row in said.get(key, ())}) or [brief["attempt"] or 0]
        for attempt in attempts:
            spoken = [row for row in said.get(key, ()) if row["attempt"] == attempt]
            fallen = [row for row in broken.get(key, ()) if row["attempt"] == attempt]
            told.append(_told(brief, attempt, items.get(key, []), spoken, planned.get(key, []), fallen, _Reading(common, needed)))
    return told


def _told(brief: dict[str, Any], attempt: int, items: Rows, said: Rows, planned: Rows, broken: Rows, reading: _Reading) -> Told:
    titles = {item["slot"]: item["title"] for item in items}
    due = _due(planned)
    marks: dict[tuple[int, str], list[Span]] = {}
    turns = []
    for row in said:
        text = shortened(row["text"] or "", MOST_SHOWN)
        named = item_spans(text, titles)
        spans = list(named)
        drawn_on = {reading.needed[goal] for goal in row["goals"] if goal in reading.needed}
        for item in items:
            if item["slot"] in due.get(row["turn"], ()):
                spans += _shared(text, item, sorted(drawn_on), reading.common, named, marks)
        fallen = [rule for rule in broken if rule["turn"] == row["turn"]]
        turns.append(ToldTurn(row["turn"], row["role"], row["goals"], pieces(text, spans), row["words"], fallen))
    read = {turn.turn for turn in turns}
    whole = [rule for rule in broken if rule["turn"] not in read]
    return Told(brief, attempt, [_item(item, marks) for item in items], turns, whole)


def _due(planned: Rows) -> dict[int, set[int]]:
    """Return, for each turn, the slots it brings in or refers to, and the one talked about: the last brought in."""
    due, last = {}, None
    for row in planned:
        last = row["introduces"][-1] if row["introduces"] else last
        due[row["turn"]] = {*row["introduces"], *row["refers"], *([last] if last is not None else [])}
    return due


def _shared(
    text: str,
    item: dict[str, Any],
    drawn_on: Sequence[str],
    common: frozenset[str],
    named: Sequence[Span],
    marks: dict[tuple[int, str], list[Span]],
) -> list[Span]:
    """Return the spans of an utterance shared with an item's reviews, and note those of the reviews in `marks`."""
    found = []
    for which in drawn_on:
        if item[which]:
            here, there = shared_spans(text, shortened(item[which], MOST_SHOWN), item["slot"], common, named)
            found += here
            marks.setdefault((item["slot"], which), []).extend(there)
    return found


def _item(item: dict[str, Any], marks: dict[tuple[int, str], list[Span]]) -> ToldItem:
    shown = {
        which: pieces(shortened(item[which], MOST_SHOWN), marks.get((item["slot"], which), [])) if item[which] else []
        for which in ("own_review", "other_review")
    }
    return ToldItem(item["slot"], item["item_id"], item["title"] or "", item["collection"], item["rating"], **shown)


def _by_dialogue(found: Rows) -> dict[str, Rows]:
    grouped: dict[str, Rows] = {}
    for row in found:
        grouped.setdefault(row["dialogue_id"], []).append(row)
    return grouped
