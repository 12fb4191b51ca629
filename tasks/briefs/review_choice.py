"""Other people's reviews: which of them a dialogue may draw on, and which one it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from tasks.briefs.slot_filling import Draft
from tasks.fingerprint import unit
from tasks.settings import Domain, Preprocess

MOST_OTHERS = 8
Needed = tuple[int, int]  # index of a draft in its page, slot number

# One more than the pool holds: the user's own may be among them.
_POOL = """
CREATE OR REPLACE TEMP TABLE brief_pool AS
WITH placed AS (
    SELECT review_id, item_id, user_id, source_order, rating,
           row_number() OVER (PARTITION BY item_id ORDER BY source_order, review_id) AS place
    FROM reviews SEMI JOIN preferences USING (item_id)
)
SELECT review_id, item_id, user_id, source_order, rating FROM placed WHERE place <= $most + 1
"""
_PICK = """
WITH candidates AS (
    SELECT n.draft, n.slot, n.chance, n.recommended AND p.rating >= $like_min AS praise, p.review_id,
           row_number() OVER (PARTITION BY n.draft, n.slot ORDER BY p.source_order, p.review_id) AS place
    FROM needed n JOIN brief_pool p ON p.item_id = n.item_id AND p.user_id <> n.user_id
), pool AS (
    SELECT *, bool_or(praise) OVER (PARTITION BY draft, slot) AS praised FROM candidates WHERE place <= $most
), ranked AS (
    SELECT *, row_number() OVER fitting - 1 AS rank, count(*) OVER (PARTITION BY draft, slot) AS fitting_reviews
    FROM pool WHERE praise OR NOT praised WINDOW fitting AS (PARTITION BY draft, slot ORDER BY place)
)
SELECT draft, slot, review_id FROM ranked WHERE rank = floor(chance * fitting_reviews)
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
    """Set aside each item's first reviews in source order, core or not, as what others say about it.

    The pool is no larger than the reviews an item has at least, without the user's own. So reviews
    that come in later change nobody's.
    """
    con.execute(_POOL, {"most": most_others(settings)})


def drop_pool(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what `make_pool` made."""
    con.execute("DROP TABLE IF EXISTS brief_pool")


def most_others(settings: Preprocess) -> int:
    """Return how many other people's reviews of an item are drawn from."""
    return max(1, min(MOST_OTHERS, settings.min_item_interactions - 1))


def pick_others(
    con: duckdb.DuckDBPyConnection, domain: Domain, drafts: Sequence[Draft]
) -> dict[Needed, str]:
    """Pick another person's review for each slot that needs one; a slot that is missing has none.

    Whoever recommends an item quotes those who praise it: of the pool of a recommended item only
    likes are drawn from, if it has any.
    """
    rows = [
        (
            index,
            slot.number,
            draft.user_id,
            item.item_id,
            slot.number > 1,
            unit(domain.seed, "other", draft.user_id, draft.position, slot.number),
        )
        for index, draft in enumerate(drafts)
        for slot, item in zip(draft.template.slots, draft.items, strict=True)
        if slot.other_review
    ]
    if not rows:
        return {}
    columns = zip(*rows, strict=True)
    con.register(
        "needed",
        pa.table(
            [
                pa.array(values, kind.type)
                for values, kind in zip(columns, _NEEDED_SCHEMA, strict=True)
            ],
            schema=_NEEDED_SCHEMA,
        ),
    )
    try:
        picked = con.execute(
            _PICK, {"most": most_others(domain.preprocess), "like_min": domain.preprocess.like_min}
        ).fetchall()
    finally:
        con.unregister("needed")
    return {(draft, slot): review_id for draft, slot, review_id in picked}


def text_hashes(con: duckdb.DuckDBPyConnection, review_ids: Sequence[str]) -> Mapping[str, str]:
    """Return a hash of the text of each review, as preprocessing left it."""
    con.register("used", pa.table({"review_id": pa.array(review_ids, pa.string())}))
    try:
        return dict(con.execute(_HASHES).fetchall())
    finally:
        con.unregister("used")
