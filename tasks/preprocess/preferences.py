"""LIKES, DISLIKES and MIGHT_LIKES of each user, in time order (section 2.3, Appendix B)."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tasks.preprocess.growth import restore_preferences
from tasks.settings import Preprocess

_JUDGED = """
CREATE OR REPLACE TEMP TABLE judged AS
WITH core AS (SELECT * FROM reviews WHERE core),
overall AS (SELECT avg(rating) AS mean FROM core),
users AS (SELECT user_id, avg(rating) AS mean FROM core GROUP BY user_id),
judged AS (
    SELECT
        core.*,
        CASE
            WHEN $normalise THEN rating - users.mean + overall.mean
            ELSE rating
        END AS judgement
    FROM core
    JOIN users USING (user_id)
    CROSS JOIN overall
)
SELECT
    review_id,
    user_id,
    item_id,
    rating,
    timestamp,
    source_order,
    judgement >= $like_min AS liked,
    item_id IN (SELECT item_id FROM items) AS titled
FROM judged
WHERE judgement >= $like_min OR judgement <= $dislike_max
"""
_FILL = """
INSERT INTO preferences
WITH numbered AS (
    SELECT
        *,
        row_number() OVER in_time AS number,
        count(*) OVER (PARTITION BY user_id, liked) AS total
    FROM judged
    WHERE titled
    WINDOW in_time AS (PARTITION BY user_id, liked ORDER BY timestamp NULLS FIRST, source_order)
),
split AS (
    SELECT
        *,
        total - least(
            total,
            greatest(floor(total * $share::DECIMAL(9, 6))::BIGINT, $least)
        ) AS history
    FROM numbered
)
SELECT
    user_id,
    item_id,
    CASE
        WHEN NOT liked THEN 'DISLIKES'
        WHEN number <= history THEN 'LIKES'
        ELSE 'MIGHT_LIKES'
    END AS collection,
    CASE WHEN liked AND number > history THEN number - history ELSE number END AS position,
    rating,
    timestamp,
    review_id
FROM split
ORDER BY user_id, collection, position
"""
_TOTALS = """
SELECT
    (SELECT count(*) FROM judged WHERE liked),
    (SELECT count(*) FROM judged WHERE NOT liked),
    (SELECT count(*) FROM judged WHERE NOT titled),
    count(*) FILTER (collection = 'LIKES'),
    count(*) FILTER (collection = 'DISLIKES'),
    count(*) FILTER (collection = 'MIGHT_LIKES'),
    count(DISTINCT user_id) FILTER (collection = 'MIGHT_LIKES')
FROM preferences
"""


@dataclass(frozen=True)
class PreferenceCounts:
    """Counts of core reviews, of rows of `preferences` by collection, and of users."""

    positive: int
    negative: int
    without_title: int
    likes: int
    dislikes: int
    might_likes: int
    users: int


def fill_preferences(
    con: duckdb.DuckDBPyConnection, settings: Preprocess, *, grow: bool = False
) -> PreferenceCounts:
    """Fill `preferences` from the core of `reviews` and from `items`.

    Positions count from 1 within (user, collection), in time order, ties by `source_order`. The
    last `might_like_share` of a user's likes, rounded down, at least `might_like_min` and at most
    all of them, are MIGHT_LIKES. With `user_mean`, likes and dislikes are decided after the user's
    mean over the core is replaced by the mean of all; `preferences.rating` is the rating given.
    With `grow` the preferences that `keep_preferences` put aside stay, and later targets are added.
    """
    parameters = {
        "normalise": settings.bias.normalise_ratings == "user_mean",
        "like_min": settings.like_min,
        "dislike_max": settings.dislike_max,
    }
    con.execute(_JUDGED, parameters)
    con.execute(_FILL, {"share": settings.might_like_share, "least": settings.might_like_min})
    if grow:
        restore_preferences(con, settings)
    counts = PreferenceCounts(*(int(value) for value in con.execute(_TOTALS).fetchall()[0]))
    con.execute("DROP TABLE judged")
    return counts
