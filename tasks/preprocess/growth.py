"""Growing (`briefs.grow`): preferences that dialogues were planned from stay as they are.

A user who was asked for keeps history and targets. Of their later likes the last ones become
further targets, so that the share of `might_like_share` is kept; the other new ones are in no
collection.
"""

from __future__ import annotations

import duckdb

from tasks.settings import Preprocess

# A user counts who has a brief that was asked or released, and whose briefs fit the preferences.
_KEEP = """
CREATE OR REPLACE TEMP TABLE kept_preferences AS
WITH asked AS (
    SELECT dialogue_id FROM responses
    UNION
    SELECT dialogue_id FROM released_dialogues
),
planned AS (SELECT * FROM briefs SEMI JOIN asked USING (dialogue_id)),
filled AS (
    SELECT p.user_id, i.item_id, i.collection
    FROM planned p
    JOIN brief_items i USING (dialogue_id)
),
changed AS (SELECT user_id FROM filled ANTI JOIN preferences USING (user_id, item_id, collection))
SELECT *
FROM preferences
SEMI JOIN planned USING (user_id)
ANTI JOIN changed USING (user_id)
"""
_TAKE_AWAY = "DELETE FROM preferences WHERE user_id IN (SELECT user_id FROM kept_preferences)"
_PUT_BACK = "INSERT INTO preferences SELECT * FROM kept_preferences"
_ADD_TARGETS = """
INSERT INTO preferences
WITH kept AS (
    SELECT
        user_id,
        count(*) FILTER (collection <> 'DISLIKES') AS likes,
        count(*) FILTER (collection = 'MIGHT_LIKES') AS targets,
        coalesce(max(position) FILTER (collection = 'MIGHT_LIKES'), 0) AS last_position,
        max(timestamp) FILTER (collection <> 'DISLIKES') AS last_time
    FROM kept_preferences
    GROUP BY user_id
),
added AS (
    SELECT
        j.*,
        kept.* EXCLUDE (user_id),
        count(*) OVER (PARTITION BY user_id) AS more_likes
    FROM judged j
    JOIN kept USING (user_id)
    ANTI JOIN kept_preferences k ON k.user_id = j.user_id AND k.item_id = j.item_id
    WHERE liked AND titled
),
later AS (
    SELECT
        *,
        row_number() OVER in_time AS number,
        count(*) OVER (PARTITION BY user_id) AS candidates,
        least(
            likes + more_likes,
            greatest(floor((likes + more_likes) * $share::DECIMAL(9, 6))::BIGINT, $least)
        ) - targets AS wanted
    FROM added
    WHERE timestamp IS NULL OR last_time IS NULL OR timestamp >= last_time
    WINDOW in_time AS (PARTITION BY user_id ORDER BY timestamp NULLS FIRST, source_order)
),
chosen AS (SELECT * FROM later WHERE number > candidates - wanted)
SELECT
    user_id,
    item_id,
    'MIGHT_LIKES',
    last_position + row_number() OVER (PARTITION BY user_id ORDER BY number),
    rating,
    timestamp,
    review_id
FROM chosen
ORDER BY user_id, number
"""


def keep_preferences(con: duckdb.DuckDBPyConnection) -> None:
    """Put aside the preferences of each user whom dialogues were asked for."""
    con.execute(_KEEP)


def restore_preferences(con: duckdb.DuckDBPyConnection, settings: Preprocess) -> None:
    """Put the kept preferences in the place of those just drawn, and add later targets to them.

    Needs the temporary table `judged` of `fill_preferences`; drops that of `keep_preferences`.
    """
    con.execute(_TAKE_AWAY)
    con.execute(_PUT_BACK)
    shares = {"share": settings.might_like_share, "least": settings.might_like_min}
    con.execute(_ADD_TARGETS, shares)
    con.execute("DROP TABLE kept_preferences")
