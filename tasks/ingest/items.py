"""The `items` table: the reviewed items that have a title, cleaned once, the published one kept beside it."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tasks.titles import clean_title, folded_key
from tasks.warehouse import strings

MAX_TITLE = 400
"""Characters of the longest title; what is longer, and some metadata holds whole pages, is no title."""
_PUBLISHED = """
WITH reviewed AS (SELECT DISTINCT item_id FROM raw_reviews),
titled AS (
    SELECT item_id, arg_min(title, (file_order, line)) AS title
    FROM published_titles WHERE trim(title) <> '' GROUP BY item_id
)
SELECT item_id, titled.title FROM reviewed LEFT JOIN titled USING (item_id) ORDER BY item_id
"""


def fill_items(con: duckdb.DuckDBPyConnection, *, id_as_title: bool, merge_editions: bool) -> int:
    """Fill `items` from `raw_reviews` and `published_titles` and return how many reviewed items have no title.

    Those are left out, or with `id_as_title` stand under their id. `work_id` is the item's own id; with `merge_editions`, that of
    the first item, by id, whose title has the same `folded_key`.
    """
    found: list[tuple[str, str, str, str]] = []
    works: dict[str, str] = {}
    untitled = 0
    for item_id, published in con.execute(_PUBLISHED).fetchall():
        title = clean_title(published or "")
        title = title if len(title) <= MAX_TITLE else ""
        untitled += not title
        if title or id_as_title:
            work_id = works.setdefault(folded_key(title), item_id) if title and merge_editions else item_id
            found.append((item_id, title or item_id, published or item_id, work_id))
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    con.register("cleaned", pa.table([strings(values) for values in columns], names=["item_id", "title", "title_original", "work_id"]))
    con.execute("INSERT INTO items SELECT item_id, title, title_original, work_id FROM cleaned")
    con.unregister("cleaned")
    return untitled
