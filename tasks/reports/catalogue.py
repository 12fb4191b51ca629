"""What is odd about the catalogue's titles: markup in the source, and one title for several items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.warehouse import Rows, one_row, rows

_COUNTS = r"""
WITH told AS (
    SELECT title, title_original,
           regexp_matches(title_original, '&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);') AS entity,
           regexp_matches(title_original, '</?[a-zA-Z][^<>]*>') AS tag,
           regexp_matches(title, '&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);') AS entity_left
    FROM items
),
reviewed AS (SELECT DISTINCT item_id FROM raw_reviews)
SELECT count(*) AS items, count(*) FILTER (entity) AS entities, count(*) FILTER (tag) AS tags,
       count(*) FILTER (entity_left) AS entities_left, count(*) FILTER (title <> title_original) AS changed,
       (SELECT count(*) FROM reviewed LEFT JOIN items USING (item_id) WHERE title IS NULL OR title = item_id) AS untitled,
       (SELECT count(DISTINCT work_id) FROM items) AS works,
       (SELECT count(*) FROM rejected_rows WHERE kind = 'other_edition') AS other_editions
FROM told
"""
_CLEANED = r"""
SELECT item_id, title_original, title FROM items
WHERE regexp_matches(title_original, '&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);|</?[a-zA-Z][^<>]*>')
ORDER BY item_id LIMIT 10
"""
_DOUBLES = """
WITH shared AS (SELECT lower(title) AS folded, count(*) AS items FROM items GROUP BY 1 HAVING count(*) > 1)
SELECT count(*) AS titles, coalesce(sum(items), 0)::BIGINT AS items FROM shared
"""
_DOUBLED = """
SELECT min(title) AS title, count(*) AS items, count(DISTINCT work_id) AS works, list(item_id ORDER BY item_id)[:5] AS item_ids,
       list(title_original ORDER BY item_id)[:3] AS published
FROM items GROUP BY lower(title) HAVING count(*) > 1 ORDER BY items DESC, title LIMIT 10
"""


@dataclass(frozen=True)
class Catalogue:
    """Counts by name, how many titles are shared by how many items, and examples of both oddities."""

    counts: dict[str, Any]
    doubles: dict[str, Any]
    cleaned: Rows
    doubled: Rows


def catalogue(con: duckdb.DuckDBPyConnection) -> Catalogue:
    """Return titles published with HTML entities or tags, titles that several items share, and reviewed items without a title."""
    return Catalogue(
        one_row(con, _COUNTS), one_row(con, _DOUBLES), rows(con, _CLEANED), rows(con, _DOUBLED)
    )
