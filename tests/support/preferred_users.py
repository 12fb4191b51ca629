"""Small made-up warehouses at the point where preprocessing is done: reviews, items and preferences, as the briefs stage reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tasks.settings import Briefs, Domain, Preprocess, Source, Sources
from tasks.warehouse import create_tables

_SHARED_BASE = 1_000_000


@dataclass(frozen=True)
class MadeUser:
    """One user by what he likes, dislikes and might like, as item ids in order of time."""

    user_id: str
    likes: Sequence[str] = ()
    dislikes: Sequence[str] = ()
    might_likes: Sequence[str] = ()


def made_domain(**briefs: object) -> Domain:
    """Return a domain with its defaults, but for the settings of briefs named."""
    sources = Sources(format="amazon_2014", reviews=(Source(path="reviews.json.gz"),))
    return Domain(
        name="made",
        noun="movie",
        verb="watched",
        sources=sources,
        preprocess=Preprocess(),
        briefs=Briefs.model_validate(briefs),
    )


def made_warehouse(
    users: Sequence[MadeUser],
    titles: dict[str, str] | None = None,
    works: dict[str, str] | None = None,
) -> duckdb.DuckDBPyConnection:
    """Return a warehouse in memory with these users' reviews, in the order given.

    Args:
        users: who likes what; the review of a user on an item has the id `user/item` and the text
            `user on item`.
        titles: titles by item id; an item not named is called `Title of <id>`; one whose title is
            "" is not in `items`.
        works: work ids by item id; an item not named is its own work.
    """
    con = duckdb.connect(":memory:")
    create_tables(con)
    append_users(con, users)
    for item_id in sorted(
        {item for user in users for item in (*user.likes, *user.dislikes, *user.might_likes)}
    ):
        title = (titles or {}).get(item_id, f"Title of {item_id}")
        if title:
            con.execute(
                "INSERT INTO items VALUES (?, ?, ?, ?)",
                [item_id, title, title, (works or {}).get(item_id, item_id)],
            )
    return con


def append_users(con: duckdb.DuckDBPyConnection, users: Sequence[MadeUser]) -> None:
    """Add users' reviews and preferences behind those that are there."""
    order = con.execute("SELECT count(*) FROM reviews").fetchall()[0][0]
    for user in users:
        for collection, items, rating in (
            ("LIKES", user.likes, 5.0),
            ("DISLIKES", user.dislikes, 1.0),
            ("MIGHT_LIKES", user.might_likes, 4.0),
        ):
            for position, item_id in enumerate(items):
                review_id = f"{user.user_id}/{item_id}"
                text = f"{user.user_id} on {item_id}"
                con.execute(
                    "INSERT INTO reviews VALUES (?, ?, ?, ?, ?, 3, ?, ?, true)",
                    [review_id, user.user_id, item_id, rating, text, _SHARED_BASE + order, order],
                )
                con.execute(
                    "INSERT INTO preferences VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        user.user_id,
                        item_id,
                        collection,
                        position,
                        rating,
                        _SHARED_BASE + order,
                        review_id,
                    ],
                )
                order += 1


_BULK_REVIEWS = """
INSERT INTO reviews
WITH tries AS (
    SELECT u.range AS user_number, k.range AS place, (hash(u.range, k.range, 'item') % 1000003) / 1000003.0 AS chance
    FROM range($users) u, range($each) k WHERE k.range < 12 + hash(u.range, 'many') % ($each - 12)
), drawn AS (
    SELECT user_number, floor($items * chance * chance)::BIGINT AS item_number, min(place) AS place FROM tries GROUP BY ALL
), judged AS (
    SELECT *, hash(user_number, item_number, 'rating') % 100 AS mood, row_number() OVER (ORDER BY user_number, place) AS source_order
    FROM drawn
)
SELECT substr(md5(user_number || ' ' || item_number), 1, 16), 'A' || user_number, 'B' || item_number,
       CASE WHEN mood < 12 THEN 1.0 WHEN mood < 22 THEN 3.0 ELSE 5.0 END,
       repeat('some words about it ', 10 + (hash(source_order) % 40)::INTEGER), 100, source_order, source_order, true
FROM judged
"""
_BULK_PREFERENCES = """
INSERT INTO preferences
WITH liked AS (
    SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY source_order) AS place, count(*) OVER (PARTITION BY user_id) AS many
    FROM reviews WHERE rating >= 4
), collected AS (
    SELECT *, CASE WHEN place > many - greatest(1, many // 10) THEN 'MIGHT_LIKES' ELSE 'LIKES' END AS collection FROM liked
    UNION ALL
    SELECT *, 1, 1, 'DISLIKES' FROM reviews WHERE rating <= 2
)
SELECT user_id, item_id, collection, row_number() OVER (PARTITION BY user_id, collection ORDER BY source_order) - 1,
       rating, timestamp, review_id
FROM collected
"""


def bulk_warehouse(con: duckdb.DuckDBPyConnection, users: int, items: int, each: int = 90) -> None:
    """Fill a warehouse with so many made-up users of 12 to `each` reviews; one in eight reviews is a dislike."""
    create_tables(con)
    con.execute(_BULK_REVIEWS, {"users": users, "items": items, "each": each})
    con.execute(
        "INSERT INTO items SELECT 'B' || range, 'Title ' || range, 'Title ' || range, 'B' || range FROM range(?)",
        [items],
    )
    con.execute(_BULK_PREFERENCES)
