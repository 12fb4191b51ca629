"""Which items have a review is known by hashes that DuckDB and Python make alike."""

from __future__ import annotations

import duckdb

from tasks.ingest.reviewed_ids import ReviewedIds


def test_reviewed_items_are_found_and_no_others() -> None:
    known = [f"B{number:09d}" for number in range(2_000)] + ["é 漢", ""]
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE raw_reviews AS SELECT unnest($ids) AS item_id", {"ids": known * 2}
        )
        reviewed = ReviewedIds(con)
    assert all(item_id in reviewed for item_id in known)
    assert not any(other in reviewed for other in ("B000002000", "e", " ", 7, None))


def test_without_reviews_nothing_is_found() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE raw_reviews (item_id VARCHAR)")
        assert "B000000000" not in ReviewedIds(con)
