"""The interaction core: users and items with enough reviews (Appendix B)."""

from __future__ import annotations

import duckdb

from tasks.settings import Preprocess

_COUNT_ONCE = """
CREATE OR REPLACE TEMP TABLE core_rows AS
WITH counted AS NOT MATERIALIZED (
    SELECT * FROM {source} WHERE $count = 'all' OR rating >= $like_min OR rating <= $dislike_max
),
users AS (SELECT user_id FROM counted GROUP BY user_id HAVING count(*) >= $user_min),
enough AS (SELECT item_id FROM counted GROUP BY item_id HAVING count(*) >= $item_min)
SELECT row_id, user_id, item_id, rating FROM {source} SEMI JOIN users USING (user_id) SEMI JOIN enough USING (item_id)
"""


def mark_core(con: duckdb.DuckDBPyConnection, settings: Preprocess) -> int:
    """Set `core` in the temporary table `admitted` and return how often interactions were counted.

    One pass counts users and items on the same rows, as the paper says; what falls does not change the other's count. The
    fixpoint counts again until nothing falls. With `count: judged` a rating between the thresholds counts for nobody; it is in the
    core if its user and its item are.
    """
    limits = {
        "user_min": settings.min_user_interactions,
        "item_min": settings.min_item_interactions,
        "count": settings.count,
        "like_min": settings.like_min,
        "dislike_max": settings.dislike_max,
    }
    con.execute(_COUNT_ONCE.format(source="admitted"), limits)
    rounds, before, left = 1, -1, _size(con)
    while settings.core == "fixpoint" and left not in (before, 0):
        con.execute(_COUNT_ONCE.format(source="core_rows"), limits)
        rounds, before, left = rounds + 1, left, _size(con)
    con.execute("UPDATE admitted SET core = true WHERE row_id IN (SELECT row_id FROM core_rows)")
    con.execute("DROP TABLE core_rows")
    return rounds


def _size(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.execute("SELECT count(*) FROM core_rows").fetchall()[0][0])
