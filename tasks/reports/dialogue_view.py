"""One dialogue as a person reads it.

Utterances with their goals, the items, the reviews behind them, and marks on both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.goals import Goals
from tasks.marks import speech_hash
from tasks.reports.highlights import Piece, Span, item_spans, pieces, shared_spans
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import Rows, rows
from tasks.web import shortened

MOST_SHOWN = 6_000  # characters of one text on a page
COMMON_SHARE = 0.03  # a word that is in more than this share of reviews says nothing about one
_SAMPLE = 2_000  # reviews

_COMMON = r"""
WITH drawn AS (SELECT text FROM reviews WHERE core ORDER BY review_id LIMIT $sample),
found AS (
    SELECT regexp_extract_all(lower(text), '[\p{L}\p{N}]+(?:[''’-][\p{L}\p{N}]+)*') AS words
    FROM drawn
),
words AS (SELECT unnest(list_distinct(words)) AS word FROM found)
SELECT word FROM words GROUP BY word HAVING count(*) > $share * (SELECT count(*) FROM drawn)
"""
_BRIEFS = f"""
WITH {BRIEF_VERDICTS}
SELECT b.dialogue_id, b.user_id, b.position, b.template_id, b.target_item_id, b.recommendations,
       b.turns,
       v.verdict, v.attempt
FROM briefs b JOIN brief_verdicts v USING (dialogue_id)
WHERE b.dialogue_id IN (SELECT unnest($ids)) ORDER BY b.brief_order
"""
_ITEMS = """
SELECT i.dialogue_id, i.slot, i.item_id, i.title, i.collection, own.text AS own_review, own.rating,
       own.review_id AS own_review_id,
       other.text AS other_review, other.rating AS other_rating, other.review_id AS other_review_id
FROM brief_items i LEFT JOIN reviews own ON own.review_id = i.user_review_id
LEFT JOIN reviews other ON other.review_id = i.other_review_id
WHERE i.dialogue_id IN (SELECT unnest($ids)) ORDER BY i.dialogue_id, i.slot
"""
_SAID = """
SELECT dialogue_id, attempt, turn, role, text, goals, item_ids, words
FROM utterances WHERE dialogue_id IN (SELECT unnest($ids)) ORDER BY dialogue_id, attempt, turn
"""
_PLANNED = """
SELECT b.dialogue_id, t.turn, t.introduces, t.refers
FROM template_turns t JOIN briefs b USING (template_id)
WHERE b.dialogue_id IN (SELECT unnest($ids)) ORDER BY b.dialogue_id, t.turn
"""
_BROKEN = """
SELECT dialogue_id, attempt, rule, severity, turn, evidence, because FROM rejections
WHERE dialogue_id IN (SELECT unnest($ids)) ORDER BY dialogue_id, attempt, turn, rule
"""


@dataclass(frozen=True)
class ItemView:
    """One slot: the item, the user's collection and rating, and the reviews in marked pieces."""

    slot: int
    item_id: str
    title: str
    collection: str
    rating: float | None
    own_review: list[Piece]
    other_review: list[Piece]


@dataclass(frozen=True)
class TurnView:
    """One utterance in marked pieces, with its goals and the rules it broke."""

    turn: int
    role: str
    goals: list[str]
    pieces: list[Piece]
    words: int
    broken: Rows


@dataclass(frozen=True)
class DialogueView:
    """One attempt at one brief, whole. `broken` holds the rules the dialogue broke as a whole."""

    brief: dict[str, Any]
    attempt: int
    items: list[ItemView]
    turns: list[TurnView]
    broken: Rows


@dataclass(frozen=True)
class _Reading:
    """What marking goes by: common words, and which review a sub-goal draws on."""

    common: frozenset[str]
    needed: Mapping[str, str]


def common_words(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the words that are in many reviews of the domain.

    They are found by counting, so that it works in any language.
    """
    common = rows(con, _COMMON, {"sample": _SAMPLE, "share": COMMON_SHARE})
    return frozenset(row["word"] for row in common)


def said_hashes(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> dict[int, str]:
    """Return the hash of the utterances of each attempt at a dialogue, by which marks name it."""
    turns: dict[int, list[tuple[str, str]]] = {}
    for row in rows(con, _SAID, {"ids": [dialogue_id]}):
        turns.setdefault(row["attempt"], []).append((row["role"], row["text"]))
    return {attempt: speech_hash(spoken) for attempt, spoken in turns.items()}


def broken_rules(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> Rows:
    """Return every rule a dialogue broke at any attempt, with the offending piece."""
    return rows(con, _BROKEN, {"ids": [dialogue_id]})


def build_view(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], common: frozenset[str], goals: Goals
) -> list[DialogueView]:
    """Return every parsed attempt of some dialogues, in the order of the briefs.

    A brief without one has no turns. Words are compared only where a sub-goal of the turn draws on
    a review, with reviews of the item talked about: elsewhere what is shared is chance.
    """
    needed = {}
    for goal in goals.sub_goals:
        if goal.review:
            needed[goal.id] = "own_review" if goal.review == "user" else "other_review"
    reading = _Reading(common, needed)
    values = {"ids": list(ids)}
    items, utterances, planned, broken = (
        _by_dialogue(rows(con, query, values)) for query in (_ITEMS, _SAID, _PLANNED, _BROKEN)
    )
    views = []
    for brief in rows(con, _BRIEFS, values):
        key = brief["dialogue_id"]
        attempts = sorted({row["attempt"] for row in utterances.get(key, ())})
        for attempt in attempts or [brief["attempt"] or 0]:
            rows_of = _Rows(
                items.get(key, []),
                [row for row in utterances.get(key, ()) if row["attempt"] == attempt],
                planned.get(key, []),
                [row for row in broken.get(key, ()) if row["attempt"] == attempt],
            )
            views.append(_view(brief, attempt, rows_of, reading))
    return views


@dataclass(frozen=True)
class _Rows:
    """What the warehouse has of one attempt."""

    items: Rows
    utterances: Rows
    planned: Rows
    broken: Rows


def _view(brief: dict[str, Any], attempt: int, stored: _Rows, reading: _Reading) -> DialogueView:
    items, broken = stored.items, stored.broken
    titles = {item["slot"]: item["title"] for item in items}
    due = _due(stored.planned)
    marks: dict[tuple[int, str], list[Span]] = {}
    turns = []
    for row in stored.utterances:
        text = shortened(row["text"] or "", MOST_SHOWN)
        named = item_spans(text, titles)
        spans = list(named)
        drawn_on = {reading.needed[goal] for goal in row["goals"] if goal in reading.needed}
        for item in items:
            if item["slot"] in due.get(row["turn"], ()):
                spans += _shared(text, item, sorted(drawn_on), reading.common, named, marks)
        of_turn = [rule for rule in broken if rule["turn"] == row["turn"]]
        marked = pieces(text, spans)
        turns.append(
            TurnView(row["turn"], row["role"], row["goals"], marked, row["words"], of_turn)
        )
    numbers = {turn.turn for turn in turns}
    of_dialogue = [rule for rule in broken if rule["turn"] not in numbers]
    item_views = [_item(item, marks) for item in items]
    return DialogueView(brief, attempt, item_views, turns, of_dialogue)


def _due(planned: Rows) -> dict[int, set[int]]:
    """Return, for each turn, the slots that it may speak of.

    Those it brings in or refers to, and the one talked about: the last brought in.
    """
    due: dict[int, set[int]] = {}
    last: set[int] = set()
    for row in planned:
        if row["introduces"]:
            last = {row["introduces"][-1]}
        due[row["turn"]] = {*row["introduces"], *row["refers"], *last}
    return due


def _shared(
    text: str,
    item: dict[str, Any],
    drawn_on: Sequence[str],
    common: frozenset[str],
    named: Sequence[Span],
    marks: dict[tuple[int, str], list[Span]],
) -> list[Span]:
    """Return the spans of an utterance shared with an item's reviews.

    Those of the reviews are added to `marks`, by slot and review.
    """
    spans = []
    for which in drawn_on:
        if item[which]:
            review = shortened(item[which], MOST_SHOWN)
            here, there = shared_spans(text, review, item["slot"], common, named)
            spans += here
            marks.setdefault((item["slot"], which), []).extend(there)
    return spans


def _item(item: dict[str, Any], marks: dict[tuple[int, str], list[Span]]) -> ItemView:
    reviews: dict[str, list[Piece]] = {"own_review": [], "other_review": []}
    for which in reviews:
        if item[which]:
            text = shortened(item[which], MOST_SHOWN)
            reviews[which] = pieces(text, marks.get((item["slot"], which), []))
    title = item["title"] or ""
    return ItemView(
        item["slot"], item["item_id"], title, item["collection"], item["rating"], **reviews
    )


def _by_dialogue(ungrouped: Rows) -> dict[str, Rows]:
    grouped: dict[str, Rows] = {}
    for row in ungrouped:
        grouped.setdefault(row["dialogue_id"], []).append(row)
    return grouped
