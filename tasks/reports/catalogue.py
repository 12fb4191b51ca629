"""What is odd about the catalogue's titles: markup, and one title for several items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.warehouse import Rows, one_row, rows

_ENTITY = "&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);"
_TAG = "</?[a-zA-Z][^<>]*>"
_COUNTS = f"""
WITH titles AS (
    SELECT title, title_original,
           regexp_matches(title_original, '{_ENTITY}') AS entity,
           regexp_matches(title_original, '{_TAG}') AS tag,
           regexp_matches(title, '{_ENTITY}') AS entity_left
    FROM items
),
reviewed AS (SELECT DISTINCT item_id FROM raw_reviews),
untitled AS (
    SELECT count(*) AS items FROM reviewed LEFT JOIN items USING (item_id)
    WHERE title IS NULL OR title = item_id
)
SELECT count(*) AS items, count(*) FILTER (entity) AS entities, count(*) FILTER (tag) AS tags,
       count(*) FILTER (entity_left) AS entities_left,
       count(*) FILTER (title <> title_original) AS changed,
       (SELECT items FROM untitled) AS untitled,
       (SELECT count(DISTINCT work_id) FROM items) AS works,
       (SELECT count(*) FROM rejected_rows WHERE kind = 'other_edition') AS other_editions
FROM titles
"""
_CLEANED = f"""
SELECT item_id, title_original, title FROM items
WHERE regexp_matches(title_original, '{_ENTITY}|{_TAG}')
ORDER BY item_id LIMIT 10
"""
_DOUBLES = """
WITH shared AS (
    SELECT lower(title) AS folded, count(*) AS items
    FROM items GROUP BY 1 HAVING count(*) > 1
)
SELECT count(*) AS titles, coalesce(sum(items), 0)::BIGINT AS items FROM shared
"""
_DOUBLED = """
SELECT min(title) AS title, count(*) AS items, count(DISTINCT work_id) AS works,
       list(item_id ORDER BY item_id)[:5] AS item_ids,
       list(title_original ORDER BY item_id)[:3] AS published
FROM items GROUP BY lower(title) HAVING count(*) > 1 ORDER BY items DESC, title LIMIT 10
"""


@dataclass(frozen=True)
class Catalogue:
    """What is odd about titles.

    Attributes:
        counts: by name.
        doubles: how many titles are shared, by how many items.
        cleaned: examples of titles with markup.
        doubled: examples of shared titles.
    """

    counts: dict[str, Any]
    doubles: dict[str, Any]
    cleaned: Rows
    doubled: Rows


def catalogue(con: duckdb.DuckDBPyConnection) -> Catalogue:
    """Return what is odd about titles.

    HTML entities or tags in the source, a title of several items, and reviewed items without one.
    """
    return Catalogue(
        one_row(con, _COUNTS), one_row(con, _DOUBLES), rows(con, _CLEANED), rows(con, _DOUBLED)
    )
