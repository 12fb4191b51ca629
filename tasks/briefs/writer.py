"""Writes a plan: drafts with their reviews, templates, and items without a brief."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa

from tasks.briefs.ids import dialogue_id as make_id
from tasks.briefs.review_choice import pick_others, text_hashes
from tasks.briefs.slot_filling import Draft, Reason, Unplanned
from tasks.settings import Domain
from tasks.templates import Template
from tasks.warehouse import create_table

_INT_LIST = pa.list_(pa.int32())
_SCHEMAS = {
    "template_turns": pa.schema(
        {
            "template_id": pa.string(),
            "recommendations": pa.int32(),
            "turn": pa.int32(),
            "role": pa.string(),
            "goals": pa.list_(pa.string()),
            "introduces": _INT_LIST,
            "refers": _INT_LIST,
        }
    ),
    "template_slots": pa.schema(
        {
            "template_id": pa.string(),
            "slot": pa.int32(),
            "collection": pa.string(),
            "user_review": pa.bool_(),
            "other_review": pa.bool_(),
        }
    ),
    "briefs": pa.schema(
        {
            "dialogue_id": pa.string(),
            "user_id": pa.string(),
            "position": pa.int32(),
            "target_item_id": pa.string(),
            "template_id": pa.string(),
            "recommendations": pa.int32(),
            "turns": pa.int32(),
            "brief_order": pa.int64(),
        }
    ),
    "brief_items": pa.schema(
        {
            "dialogue_id": pa.string(),
            "slot": pa.int32(),
            "item_id": pa.string(),
            "title": pa.string(),
            "collection": pa.string(),
            "user_review_id": pa.string(),
            "other_review_id": pa.string(),
        }
    ),
    "unplanned": pa.schema({"user_id": pa.string(), "item_id": pa.string(), "reason": pa.string()}),
}
# Items after the end of the plan are added, so that each MIGHT_LIKES item has a brief or a row.
_BEYOND_PLAN = """
INSERT INTO unplanned
WITH planned AS (SELECT user_id, target_item_id AS item_id FROM briefs)
SELECT user_id, item_id, $reason
FROM preferences
ANTI JOIN planned USING (user_id, item_id)
ANTI JOIN unplanned USING (user_id, item_id)
WHERE collection = 'MIGHT_LIKES'
"""
# A row of `brief_items`, without the dialogue.
_FilledSlot = tuple[int, str, str | None, str, str | None, str | None]


def create_brief_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of this stage again, empty."""
    for name in _SCHEMAS:
        create_table(con, name, replace=True)


def store_templates(con: duckdb.DuckDBPyConnection, templates: Sequence[Template]) -> None:
    """Write templates, turn by turn and slot by slot."""
    _insert(con, "template_turns", chain.from_iterable(map(_turn_rows, templates)))
    _insert(con, "template_slots", chain.from_iterable(map(_slot_rows, templates)))


def _turn_rows(template: Template) -> Iterator[tuple[Any, ...]]:
    for number, turn in enumerate(template.turns, start=1):
        yield (
            template.template_id,
            template.recommendations,
            number,
            turn.role,
            list(turn.goals),
            list(turn.introduces),
            list(turn.refers),
        )


def _slot_rows(template: Template) -> Iterator[tuple[Any, ...]]:
    for slot in template.slots:
        yield (
            template.template_id,
            slot.number,
            slot.collection,
            slot.user_review,
            slot.other_review,
        )


def store_briefs(
    con: duckdb.DuckDBPyConnection, domain: Domain, drafts: Sequence[Draft], first_order: int
) -> None:
    """Write drafts with their reviews and ids; the first has `first_order` as `brief_order`."""
    others = pick_others(con, domain, drafts)
    filled = [list(_filled_slots(draft, index, others)) for index, draft in enumerate(drafts)]
    reviews = {review for slot in chain.from_iterable(filled) for review in slot[4:]}
    hashes = text_hashes(con, sorted(filter(None, reviews)))
    briefs = []
    items: list[tuple[Any, ...]] = []
    for order, (draft, slots) in enumerate(zip(drafts, filled, strict=True), start=first_order):
        dialogue_id = _dialogue_id(domain, draft, slots, hashes)
        briefs.append(_brief_row(dialogue_id, draft, order))
        items.extend((dialogue_id, *slot) for slot in slots)
    _insert(con, "briefs", briefs)
    _insert(con, "brief_items", items)


def _brief_row(dialogue_id: str, draft: Draft, order: int) -> tuple[Any, ...]:
    return (
        dialogue_id,
        draft.user_id,
        draft.position,
        draft.target.item_id,
        draft.template.template_id,
        draft.template.recommendations,
        len(draft.template.turns),
        order,
    )


def store_unplanned(con: duckdb.DuckDBPyConnection, unplanned: Sequence[Unplanned]) -> None:
    """Write items without a brief, each with the reason."""
    _insert(con, "unplanned", ((one.user_id, one.item_id, one.reason) for one in unplanned))


def store_beyond_plan(con: duckdb.DuckDBPyConnection, reason: Reason) -> int:
    """Write each MIGHT_LIKES item without a brief or reason, with this reason; return how many."""
    (stored,) = con.execute(_BEYOND_PLAN, {"reason": reason}).fetchall()[0]
    return int(stored)


def _filled_slots(
    draft: Draft, index: int, others: dict[tuple[int, int], str]
) -> Iterator[_FilledSlot]:
    for slot, item in zip(draft.template.slots, draft.items, strict=True):
        own = item.review_id if slot.user_review else None
        other = others.get((index, slot.number))
        yield slot.number, item.item_id, item.title, slot.collection, own, other


def _dialogue_id(domain: Domain, draft: Draft, slots: Sequence[_FilledSlot], hashes: Any) -> str:
    """Return the hash of a brief's content, with reviews by their text and not by their id."""
    items = [
        [*slot[:4], item.rating, *(hashes.get(review) for review in slot[4:])]
        for slot, item in zip(slots, draft.items, strict=True)
    ]
    words = [domain.noun, domain.verb, domain.language]
    content = [
        draft.user_id,
        draft.position,
        draft.target.item_id,
        draft.template.template_id,
        items,
        words,
    ]
    return make_id(domain.name, content)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows to one of the tables of this stage."""
    schema = _SCHEMAS[table]
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    con.register("brief_rows", pa.table(arrays, schema=schema))
    try:
        con.execute(f"INSERT INTO {table} SELECT * FROM brief_rows")
    finally:
        con.unregister("brief_rows")
