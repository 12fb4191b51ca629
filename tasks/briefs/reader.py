"""Briefs read from the warehouse, with their templates and review texts, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from tasks.briefs.values import Brief, BriefItem
from tasks.errors import UserError
from tasks.settings import Domain
from tasks.templates import Slot, Template, Turn

BRIEFS_PER_PAGE = 5_000

_FILLED = """
WITH page AS (
    SELECT dialogue_id, user_id, position, target_item_id, template_id, brief_order
    FROM briefs
    WHERE {chosen}
),
filled AS (
    SELECT page.*, i.slot, i.item_id, i.title, i.collection, i.user_review_id, i.other_review_id
    FROM page
    JOIN brief_items i USING (dialogue_id)
),
used AS (
    SELECT user_review_id AS review_id FROM filled
    UNION ALL
    SELECT other_review_id FROM filled
),
texts AS (
    SELECT review_id, text
    FROM reviews
    WHERE review_id IN (SELECT review_id FROM used)
),
ratings AS (
    SELECT user_id, item_id, rating
    FROM preferences
    WHERE user_id IN (SELECT user_id FROM page)
)
SELECT
    f.dialogue_id,
    f.user_id,
    f.position,
    f.target_item_id,
    f.template_id,
    f.slot,
    f.item_id,
    f.title,
    f.collection,
    own.text,
    other.text,
    r.rating
FROM filled f
LEFT JOIN texts own ON own.review_id = f.user_review_id
LEFT JOIN texts other ON other.review_id = f.other_review_id
LEFT JOIN ratings r ON r.user_id = f.user_id AND r.item_id = f.item_id
ORDER BY f.brief_order, f.slot
"""
_BY_ORDER = _FILLED.format(chosen="brief_order >= $first AND brief_order < $upto")
_BY_ID = _FILLED.format(chosen="dialogue_id IN (SELECT unnest($ids))")
_TURNS = """
SELECT template_id, recommendations, role, goals, introduces, refers
FROM template_turns
ORDER BY template_id, turn
"""


def load_briefs(
    con: duckdb.DuckDBPyConnection, domain: Domain, which: range | Sequence[str] | None = None
) -> Iterator[Brief]:
    """Yield briefs with their templates and the texts of their reviews.

    They are read in whole pages, so the connection is free between two briefs and memory does not
    grow with their number.

    Args:
        con: the domain's warehouse, after the briefs stage.
        domain: for the words of its dialogues.
        which: a range of `brief_order` with step 1; or dialogue ids, each once, whose briefs are
            yielded in that order; or None for all.

    Raises:
        UserError: an id that no brief has.
    """
    if which is not None and not which:
        return
    templates = load_templates(con)
    if which is None or isinstance(which, range):
        pages = _by_order(con, which)
    else:
        pages = _by_id(con, which)
    for rows in pages:
        for _, group in groupby(rows, key=itemgetter(0)):
            yield _brief(domain, templates, list(group))


def _by_order(con: duckdb.DuckDBPyConnection, orders: range | None) -> Iterator[list[Any]]:
    total = con.execute("SELECT coalesce(max(brief_order) + 1, 0) FROM briefs").fetchall()[0][0]
    start, stop = (0, total) if orders is None else (max(0, orders.start), min(total, orders.stop))
    for first in range(start, stop, BRIEFS_PER_PAGE):
        bounds = {"first": first, "upto": min(first + BRIEFS_PER_PAGE, stop)}
        yield con.execute(_BY_ORDER, bounds).fetchall()


def _by_id(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> Iterator[list[Any]]:
    for first in range(0, len(ids), BRIEFS_PER_PAGE):
        page = list(ids[first : first + BRIEFS_PER_PAGE])
        place = {dialogue_id: number for number, dialogue_id in enumerate(page)}
        rows = con.execute(_BY_ID, {"ids": page}).fetchall()
        unknown = set(page) - {row[0] for row in rows}
        if unknown:
            raise UserError(f"there is no brief {min(unknown)[:60]!r} in this domain")
        yield sorted(rows, key=lambda row: place[row[0]])


def _brief(domain: Domain, templates: Mapping[str, Template], rows: Sequence[Any]) -> Brief:
    dialogue_id, user_id, position, target_item_id, template_id = rows[0][:5]
    items = tuple(BriefItem(*row[5:]) for row in rows)
    return Brief(
        dialogue_id,
        user_id,
        position,
        target_item_id,
        templates[template_id],
        items,
        domain.noun,
        domain.verb,
        domain.language,
    )


def load_templates(con: duckdb.DuckDBPyConnection) -> dict[str, Template]:
    """Return the templates the briefs were planned with, by id."""
    slots: dict[str, list[Slot]] = {}
    slot_rows = con.execute("SELECT * FROM template_slots ORDER BY template_id, slot").fetchall()
    for template_id, *slot in slot_rows:
        slots.setdefault(template_id, []).append(Slot(*slot))
    turns: dict[tuple[str, int], list[Turn]] = {}
    for row in con.execute(_TURNS).fetchall():
        template_id, recommendations, role, goals, introduces, refers = row
        turn = Turn(role, tuple(goals), tuple(introduces), tuple(refers))
        turns.setdefault((template_id, recommendations), []).append(turn)
    return {
        template_id: Template(template_id, recommendations, tuple(own), tuple(slots[template_id]))
        for (template_id, recommendations), own in turns.items()
    }


class ReadAhead:
    """Fetches briefs by id and keeps the page of `brief_order` it read last.

    For one thread, while `briefs` stays as it is.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, domain: Domain, page: int = BRIEFS_PER_PAGE
    ) -> None:
        self._con = con
        self._domain = domain
        self._size = page
        self._page: dict[str, Brief] = {}

    def fetch(self, ids: Sequence[str]) -> list[Brief]:
        """Return the briefs of these ids, in the order given.

        Raises UserError on an id that no brief has.
        """
        briefs = self._on_page(ids)
        missing = [dialogue_id for dialogue_id in ids if dialogue_id not in briefs]
        if missing:
            self._read_page(missing[0])
            briefs |= self._on_page(missing)
            others = [dialogue_id for dialogue_id in missing if dialogue_id not in briefs]
            loaded = load_briefs(self._con, self._domain, others)
            briefs |= {brief.dialogue_id: brief for brief in loaded}
        return [briefs[dialogue_id] for dialogue_id in ids]

    def _on_page(self, ids: Sequence[str]) -> dict[str, Brief]:
        return {
            dialogue_id: self._page[dialogue_id] for dialogue_id in ids if dialogue_id in self._page
        }

    def _read_page(self, dialogue_id: str) -> None:
        """Read the page that begins with a brief; an unknown id leaves it empty."""
        orders = self._con.execute(
            "SELECT brief_order FROM briefs WHERE dialogue_id = ?", [dialogue_id]
        ).fetchall()
        ahead = range(orders[0][0], orders[0][0] + self._size) if orders else range(0)
        self._page = {
            brief.dialogue_id: brief for brief in load_briefs(self._con, self._domain, ahead)
        }
