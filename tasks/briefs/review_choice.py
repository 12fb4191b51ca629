"""Reviews by other people: which of them a dialogue may quote, and which one it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tasks.briefs.slot_filling import Draft
from tasks.fingerprint import unit
from tasks.settings import Domain, Preprocess

MAX_OTHERS = 8
NeededSlot = tuple[int, int]  # index of a draft in its page, slot number

# One more than the pool needs: the user's own review may be among them.
_POOL = """
CREATE OR REPLACE TEMP TABLE brief_pool AS
WITH numbered AS (
    SELECT
        review_id,
        item_id,
        user_id,
        source_order,
        rating,
        row_number() OVER (PARTITION BY item_id ORDER BY source_order, review_id) AS number
    FROM reviews
    SEMI JOIN preferences USING (item_id)
)
SELECT review_id, item_id, user_id, source_order, rating
FROM numbered
WHERE number <= $most + 1
"""
_PICK = """
WITH candidates AS (
    SELECT
        n.draft,
        n.slot,
        n.chance,
        n.recommended AND p.rating >= $like_min AS praise,
        p.review_id,
        row_number() OVER (
            PARTITION BY n.draft, n.slot
            ORDER BY p.source_order, p.review_id
        ) AS number
    FROM needed n
    JOIN brief_pool p ON p.item_id = n.item_id AND p.user_id <> n.user_id
),
pool AS (
    SELECT *, bool_or(praise) OVER (PARTITION BY draft, slot) AS praised
    FROM candidates
    WHERE number <= $most
),
ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY draft, slot ORDER BY number) - 1 AS rank,
        count(*) OVER (PARTITION BY draft, slot) AS fitting_reviews
    FROM pool
    WHERE praise OR NOT praised
)
SELECT draft, slot, review_id
FROM ranked
WHERE rank = floor(chance * fitting_reviews)
"""
_HASHES = "SELECT review_id, md5(text) FROM reviews WHERE review_id IN (SELECT review_id FROM used)"
_NEEDED_SCHEMA = pa.schema(
    {
        "draft": pa.int32(),
        "slot": pa.int32(),
        "user_id": pa.string(),
        "item_id": pa.string(),
        "recommended": pa.bool_(),
        "chance": pa.float64(),
    }
)


def make_pool(con: duckdb.DuckDBPyConnection, settings: Preprocess) -> None:
    """Create the pool: each item's first reviews in source order, in the core or not.

    It has as many reviews of an item as any item has at least, without the user's own. So reviews
    that are added later change no choice.
    """
    con.execute(_POOL, {"most": most_others(settings)})


def drop_pool(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the table of `make_pool`."""
    con.execute("DROP TABLE IF EXISTS brief_pool")


def most_others(settings: Preprocess) -> int:
    """Return from how many other people's reviews of an item one is drawn."""
    return max(1, min(MAX_OTHERS, settings.min_item_interactions - 1))


def pick_others(
    con: duckdb.DuckDBPyConnection, domain: Domain, drafts: Sequence[Draft]
) -> dict[NeededSlot, str]:
    """Pick another person's review for each slot that needs one; slots without one are left out.

    A recommendation quotes praise: of a recommended item only likes are drawn, if there are any.
    """
    rows = [
        row for index, draft in enumerate(drafts) for row in _needed_rows(domain.seed, index, draft)
    ]
    if not rows:
        return {}
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), _NEEDED_SCHEMA, strict=True)
    ]
    con.register("needed", pa.table(columns, schema=_NEEDED_SCHEMA))
    settings = domain.preprocess
    parameters = {"most": most_others(settings), "like_min": settings.like_min}
    try:
        picked = con.execute(_PICK, parameters).fetchall()
    finally:
        con.unregister("needed")
    return {(draft, slot): review_id for draft, slot, review_id in picked}


def _needed_rows(seed: int, index: int, draft: Draft) -> Iterator[tuple[Any, ...]]:
    """Yield a row of `_NEEDED_SCHEMA` for each slot of a draft that needs a review by others."""
    for slot, item in zip(draft.template.slots, draft.items, strict=True):
        if slot.other_review:
            # The first item is the user's own; all others are recommended.
            recommended = slot.number > 1
            chance = unit(seed, "other", draft.user_id, draft.position, slot.number)
            yield index, slot.number, draft.user_id, item.item_id, recommended, chance


def text_hashes(con: duckdb.DuckDBPyConnection, review_ids: Sequence[str]) -> Mapping[str, str]:
    """Return a hash of the text of each review, as preprocessing left it."""
    con.register("used", pa.table({"review_id": pa.array(review_ids, pa.string())}))
    try:
        return dict(con.execute(_HASHES).fetchall())
    finally:
        con.unregister("used")
