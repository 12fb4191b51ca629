"""The paper's own limitation, counted: which items are recommended, and how well liked they are.

Both are set against what users did.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from tasks.settings import Domain
from tasks.verdicts import ACCEPTED
from tasks.warehouse import Rows, rows

_ITEMS = f"""
WITH reviewed AS (
    SELECT item_id, count(*) AS reviews, avg(rating) AS rating,
           100.0 * count(*) FILTER (rating >= $like_min) / count(*) AS positive,
           100.0 * count(*) FILTER (rating <= $dislike_max) / count(*) AS negative
    FROM reviews WHERE core GROUP BY item_id
),
history AS (
    SELECT item_id, count(*) AS times
    FROM preferences WHERE collection IN ('LIKES', 'DISLIKES') GROUP BY item_id
),
{ACCEPTED},
recommended AS (
    SELECT target_item_id AS item_id, count(*) AS times
    FROM briefs SEMI JOIN accepted USING (dialogue_id) GROUP BY 1
),
counted AS (
    SELECT i.item_id, i.title, coalesce(r.reviews, 0) AS reviews, r.rating, r.positive, r.negative,
           coalesce(h.times, 0) AS history, coalesce(t.times, 0) AS recommended,
           ntile(10) OVER (ORDER BY coalesce(r.reviews, 0) DESC, i.item_id) AS tenth
    FROM items i LEFT JOIN reviewed r USING (item_id) LEFT JOIN history h USING (item_id)
    LEFT JOIN recommended t USING (item_id)
    WHERE r.reviews IS NOT NULL OR h.times IS NOT NULL OR t.times IS NOT NULL
)
"""
_TENTHS = f"""{_ITEMS}
SELECT tenth, count(*) AS items, sum(history)::BIGINT AS history,
       sum(recommended)::BIGINT AS recommended
FROM counted GROUP BY tenth ORDER BY tenth
"""
_TOP = f"""{_ITEMS} SELECT item_id, title, reviews, rating, history, recommended FROM counted
WHERE recommended > 0 ORDER BY recommended DESC, history DESC, item_id LIMIT 10"""
_COUNTS = f"{_ITEMS} SELECT history, recommended FROM counted"
_SIDES = f"""{_ITEMS}
, sides AS (
    SELECT 1 AS place, 'what users did (LIKES, DISLIKES)' AS what, history AS times, *
    FROM counted WHERE history > 0
    UNION ALL SELECT 2, 'what is recommended', recommended, * FROM counted WHERE recommended > 0
)
SELECT what, sum(times)::BIGINT AS times, count(*) AS items,
       sum(reviews * times)::DOUBLE / sum(times) AS reviews,
       sum(rating * times) / sum(times) AS rating,
       sum(positive * times) / sum(times) AS positive,
       sum(negative * times) / sum(times) AS negative
FROM sides GROUP BY place, what ORDER BY place
"""
_COLLECTIONS = f"""
WITH {ACCEPTED},
sides AS (
    SELECT 1 AS place, 'what users did' AS what, collection FROM preferences
    UNION ALL SELECT 2, 'what accepted dialogues speak of', collection
    FROM brief_items SEMI JOIN accepted USING (dialogue_id)
)
SELECT what, count(*) AS times, 100.0 * count(*) FILTER (collection = 'LIKES') / count(*) AS likes,
       100.0 * count(*) FILTER (collection = 'DISLIKES') / count(*) AS dislikes,
       100.0 * count(*) FILTER (collection = 'MIGHT_LIKES') / count(*) AS might_likes
FROM sides GROUP BY place, what ORDER BY place
"""


@dataclass(frozen=True)
class Popularity:
    """Which items users dealt with against which are recommended.

    Attributes:
        tenths: items in ten equal parts by number of reviews, the most reviewed first: history,
            recommended (times).
        top: the items recommended most.
        sides: mean reviews and rating of an item and the shares of its core reviews that are
            positive and negative (percent), weighted by how often it is on each side.
        collections: shares of LIKES, DISLIKES and MIGHT_LIKES (percent) in what users rated and in
            the items of accepted dialogues.
        curves: name -> cumulative share of times (percent), items with the most times first, at 0
            to 100 percent of the items.
        gini: name -> Gini coefficient, 0 when all items come equally often.
    """

    tenths: Rows
    top: Rows
    sides: Rows
    collections: Rows
    curves: dict[str, list[float]]
    gini: dict[str, float]


def popularity(con: duckdb.DuckDBPyConnection, domain: Domain) -> Popularity:
    """Return how unevenly items are dealt with and recommended, and how well liked they are."""
    bounds = {"like_min": domain.preprocess.like_min, "dislike_max": domain.preprocess.dislike_max}
    counts = con.execute(_COUNTS, bounds).fetchnumpy()
    sides = {
        "what users did": np.asarray(counts["history"]),
        "what is recommended": np.asarray(counts["recommended"]),
    }
    curves = {name: _curve(values) for name, values in sides.items()}
    gini = {name: _gini(values) for name, values in sides.items()}
    tenths, top, weighed = (rows(con, query, bounds) for query in (_TENTHS, _TOP, _SIDES))
    return Popularity(tenths, top, weighed, rows(con, _COLLECTIONS), curves, gini)


def _curve(values: npt.NDArray[np.int64]) -> list[float]:
    """Return the share of the sum that the first 0, 1, ... 100 percent of the values hold.

    The values are taken from the largest on; shares are in percent.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    if not ordered.sum():
        return [0.0] * 101
    held = np.concatenate([[0.0], np.cumsum(ordered)]) / ordered.sum() * 100
    places = np.linspace(0, len(ordered), 101)
    return [float(share) for share in np.interp(places, np.arange(len(held)), held)]


def _gini(values: npt.NDArray[np.int64]) -> float:
    """Return the Gini coefficient of counts: 0 if all are equal, near 1 if one has everything."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    total, size = ordered.sum(), len(ordered)
    if not total:
        return 0.0
    ranked = (np.arange(1, size + 1) * ordered).sum()
    return float(2 * ranked / (size * total) - (size + 1) / size)
