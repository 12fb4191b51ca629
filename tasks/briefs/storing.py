"""Drafts with their reviews become rows of `briefs` and `brief_items`, templates rows of their two tables, the rest `unplanned`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tasks.briefs.drafting import Draft, Reason, Unplanned
from tasks.briefs.ids import dialogue_id as make_id
from tasks.briefs.reviews import pick_others, text_hashes
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
        {"template_id": pa.string(), "slot": pa.int32(), "collection": pa.string(), "user_review": pa.bool_(), "other_review": pa.bool_()}
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
# The table is filled up with what the plan did not come to, so that MIGHT_LIKES are always briefs and rows of it.
_BEYOND_PLAN = """
INSERT INTO unplanned
WITH planned AS (SELECT user_id, target_item_id AS item_id FROM briefs)
SELECT user_id, item_id, $reason
FROM preferences
ANTI JOIN planned USING (user_id, item_id)
ANTI JOIN unplanned USING (user_id, item_id)
WHERE collection = 'MIGHT_LIKES'
"""
_FilledSlot = tuple[int, str, str | None, str, str | None, str | None]  # as in `brief_items`, without the dialogue


def create_brief_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of this stage anew, empty."""
    for name in _SCHEMAS:
        create_table(con, name, replace=True)


def store_templates(con: duckdb.DuckDBPyConnection, templates: Sequence[Template]) -> None:
    """Write templates, turn by turn and slot by slot."""
    turns = (
        (template.template_id, template.recommendations, number, turn.role, list(turn.goals), list(turn.introduces), list(turn.refers))
        for template in templates
        for number, turn in enumerate(template.turns, start=1)
    )
    slots = (
        (template.template_id, slot.number, slot.collection, slot.user_review, slot.other_review)
        for template in templates
        for slot in template.slots
    )
    _insert(con, "template_turns", turns)
    _insert(con, "template_slots", slots)


def store_briefs(con: duckdb.DuckDBPyConnection, domain: Domain, drafts: Sequence[Draft], first_order: int) -> None:
    """Give drafts their reviews and their ids and write them; `first_order` is the first one's `brief_order`."""
    others = pick_others(con, domain, drafts)
    filled = [list(_filled(draft, index, others)) for index, draft in enumerate(drafts)]
    hashes = text_hashes(con, sorted({review for slots in filled for slot in slots for review in slot[4:] if review}))
    ids = [_dialogue_id(domain, draft, slots, hashes) for draft, slots in zip(drafts, filled, strict=True)]
    briefs = (
        (
            dialogue_id,
            draft.user_id,
            draft.position,
            draft.target.item_id,
            draft.template.template_id,
            draft.template.recommendations,
            len(draft.template.turns),
            order,
        )
        for order, (dialogue_id, draft) in enumerate(zip(ids, drafts, strict=True), start=first_order)
    )
    _insert(con, "briefs", briefs)
    _insert(con, "brief_items", ((dialogue_id, *slot) for dialogue_id, slots in zip(ids, filled, strict=True) for slot in slots))


def store_unplanned(con: duckdb.DuckDBPyConnection, unplanned: Sequence[Unplanned]) -> None:
    """Write items that get no brief, each with the reason."""
    _insert(con, "unplanned", ((one.user_id, one.item_id, one.reason) for one in unplanned))


def store_beyond_plan(con: duckdb.DuckDBPyConnection, reason: Reason) -> int:
    """Write every MIGHT_LIKES item that has neither a brief nor a reason yet with this one; return how many."""
    (stored,) = con.execute(_BEYOND_PLAN, {"reason": reason}).fetchall()[0]
    return int(stored)


def _filled(draft: Draft, index: int, others: dict[tuple[int, int], str]) -> Iterator[_FilledSlot]:
    for slot, item in zip(draft.template.slots, draft.items, strict=True):
        own = item.review_id if slot.user_review else None
        yield slot.number, item.item_id, item.title, slot.collection, own, others.get((index, slot.number))


def _dialogue_id(domain: Domain, draft: Draft, slots: Sequence[_FilledSlot], hashes: Any) -> str:
    """Return the id of a draft with its reviews; a review stands for its text: what is read counts, not what it is called."""
    items = [[*slot[:4], item.rating, *(hashes.get(review) for review in slot[4:])] for slot, item in zip(slots, draft.items, strict=True)]
    words = [domain.noun, domain.verb, domain.language]
    content = [draft.user_id, draft.position, draft.target.item_id, draft.template.template_id, items, words]
    return make_id(domain.name, content)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows to one of the tables of this stage."""
    schema = _SCHEMAS[table]
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    con.register("brief_rows", pa.table([pa.array(values, kind.type) for values, kind in zip(columns, schema, strict=True)], schema=schema))
    try:
        con.execute(f"INSERT INTO {table} SELECT * FROM brief_rows")
    finally:
        con.unregister("brief_rows")
