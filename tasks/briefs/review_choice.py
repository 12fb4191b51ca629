"""Reviews by other people: which of them a dialogue may quote, and which one it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tasks.briefs.slot_filling import Draft
from tasks.fingerprint import content_id
from tasks.settings import Domain

NeededSlot = tuple[int, int]  # index of a draft in its page, slot number

# The review with the smallest hash of (brief, slot, review) is drawn, among praise where there is
# any. So a review more or less changes the slots alone that drew it, or that draw it now.
_PICK = """
WITH candidates AS (
    SELECT
        n.draft,
        n.slot,
        n.recommended AND r.rating >= $like_min AS praise,
        r.review_id,
        md5_number_lower(n.drawn_by || r.review_id) AS drawn
    FROM needed n
    JOIN reviews r ON r.item_id = n.item_id AND r.user_id <> n.user_id
)
SELECT
    draft,
    slot,
    coalesce(arg_min(review_id, drawn) FILTER (praise), arg_min(review_id, drawn))
FROM candidates
GROUP BY draft, slot
"""
_HASHES = "SELECT review_id, md5(text) FROM reviews WHERE review_id IN (SELECT review_id FROM used)"
_NEEDED_SCHEMA = pa.schema(
    {
        "draft": pa.int32(),
        "slot": pa.int32(),
        "user_id": pa.string(),
        "item_id": pa.string(),
        "recommended": pa.bool_(),
        "drawn_by": pa.string(),
    }
)


def pick_others(
    con: duckdb.DuckDBPyConnection, domain: Domain, drafts: Sequence[Draft]
) -> dict[NeededSlot, str]:
    """Pick another person's review for each slot that needs one; slots without one are left out.

    Drawn from all reviews of the item that are within the word limits, in the core or not. A
    recommendation quotes praise: of a recommended item only likes are drawn, if there are any.
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
    try:
        picked = con.execute(_PICK, {"like_min": domain.preprocess.like_min}).fetchall()
    finally:
        con.unregister("needed")
    return {(draft, slot): review_id for draft, slot, review_id in picked}


def _needed_rows(seed: int, index: int, draft: Draft) -> Iterator[tuple[Any, ...]]:
    """Yield a row of `_NEEDED_SCHEMA` for each slot of a draft that needs a review by others."""
    for slot, item in zip(draft.template.slots, draft.items, strict=True):
        if slot.other_review:
            # The first item is the user's own; all others are recommended.
            recommended = slot.number > 1
            drawn_by = content_id([seed, "other", draft.user_id, draft.position, slot.number])
            yield index, slot.number, draft.user_id, item.item_id, recommended, drawn_by


def text_hashes(con: duckdb.DuckDBPyConnection, review_ids: Sequence[str]) -> Mapping[str, str]:
    """Return a hash of the text of each review, as preprocessing left it."""
    con.register("used", pa.table({"review_id": pa.array(review_ids, pa.string())}))
    try:
        return dict(con.execute(_HASHES).fetchall())
    finally:
        con.unregister("used")
