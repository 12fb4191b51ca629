"""The users to plan for, in the order of the source, with their preferences, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import duckdb

from tasks.briefs.filling import Preferred

# A page is read whole before it is worked on, so that the connection is free for what is written in between.
_ORDERED = """
CREATE OR REPLACE TEMP TABLE brief_users AS
WITH first_seen AS (
    SELECT user_id, min(source_order) AS first_order FROM reviews WHERE core GROUP BY user_id
), wanted AS (
    SELECT DISTINCT user_id FROM preferences WHERE collection = 'MIGHT_LIKES'
)
SELECT user_id, row_number() OVER (ORDER BY first_order NULLS LAST, user_id) - 1 AS user_order
FROM wanted LEFT JOIN first_seen USING (user_id)
"""
_PREFERRED = """
CREATE OR REPLACE TEMP TABLE brief_preferences AS
SELECT u.user_order, p.user_id, p.item_id, p.collection, i.title, i.work_id, p.rating, p.review_id
FROM preferences p JOIN brief_users u USING (user_id) LEFT JOIN items i USING (item_id)
ORDER BY u.user_order, p.collection, p.position, p.item_id
"""
_PAGE = """
SELECT user_id, item_id, collection, title, work_id, rating, review_id
FROM brief_preferences WHERE user_order >= $first AND user_order < $upto ORDER BY rowid
"""


def make_users(con: duckdb.DuckDBPyConnection) -> None:
    """Put users with MIGHT_LIKES in the order of their first core review and their preferences beside them, for a while."""
    con.execute(_ORDERED)
    con.execute(_PREFERRED)


def drop_users(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what `make_users` made."""
    con.execute("DROP TABLE IF EXISTS brief_preferences")
    con.execute("DROP TABLE IF EXISTS brief_users")


def user_pages(con: duckdb.DuckDBPyConnection, users: int) -> Iterator[list[tuple[str, list[Preferred]]]]:
    """Yield pages of so many users, each with his preferences: collections in order of time."""
    total = con.execute("SELECT count(*) FROM brief_users").fetchall()[0][0]
    for first in range(0, total, users):
        rows = con.execute(_PAGE, {"first": first, "upto": first + users}).fetchall()
        yield [(user_id, [Preferred._make(row[1:]) for row in group]) for user_id, group in groupby(rows, key=itemgetter(0))]
