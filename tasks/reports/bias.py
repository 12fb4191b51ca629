"""The paper's own limitation, counted: whose ratings and which items the dialogues rest on, against what users did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from tasks.reports.asking import Rows, one, rows
from tasks.settings import Domain

# Which reviews a dialogue rests on: of accepted dialogues, each review once, the user's own and other people's apart.
_GROUPS = """
WITH accepted AS (SELECT dialogue_id FROM verdicts WHERE verdict = 'accepted'),
slots AS (SELECT user_review_id, other_review_id FROM brief_items SEMI JOIN accepted USING (dialogue_id)),
groups AS (
    SELECT 1 AS place, 'source' AS who, rating, NULL::INTEGER AS words FROM raw_reviews
    UNION ALL SELECT 2, 'core', rating, words FROM reviews WHERE core
    UNION ALL SELECT 3, 'user', rating, words FROM reviews
        WHERE review_id IN (SELECT user_review_id FROM slots WHERE user_review_id IS NOT NULL)
    UNION ALL SELECT 4, 'others', rating, words FROM reviews
        WHERE review_id IN (SELECT other_review_id FROM slots WHERE other_review_id IS NOT NULL)
)
"""
_RATINGS = f"""{_GROUPS}
SELECT place, who, $low + round((rating - $low) / $step) * $step AS rating, count(*) AS reviews
FROM groups GROUP BY ALL ORDER BY ALL
"""
_POLARITY = f"""{_GROUPS}
SELECT place, who, count(*) AS reviews, avg(rating) AS mean,
       100.0 * count(*) FILTER (rating >= $like_min) / count(*) AS positive,
       100.0 * count(*) FILTER (rating > $dislike_max AND rating < $like_min) / count(*) AS neutral,
       100.0 * count(*) FILTER (rating <= $dislike_max) / count(*) AS negative,
       quantile_cont(words, 0.1) AS short, median(words) AS median_words, quantile_cont(words, 0.9) AS long
FROM groups GROUP BY place, who ORDER BY place
"""
_JUDGED = """
WITH core AS (SELECT user_id, rating FROM reviews WHERE core),
everybody AS (SELECT avg(rating) AS mean FROM core),
users AS (SELECT user_id, avg(rating) AS mean FROM core GROUP BY user_id),
judged AS (
    SELECT user_id, rating AS before, rating - users.mean + everybody.mean AS after
    FROM core JOIN users USING (user_id) CROSS JOIN everybody
)
"""
_SHIFT = f"""{_JUDGED}
, sides AS (SELECT user_id, 'as given' AS judged, before AS rating FROM judged UNION ALL SELECT user_id, 'per user', after FROM judged),
kinds AS (
    SELECT judged, count(*) AS reviews, count(DISTINCT user_id) FILTER (rating <= $dislike_max) AS with_dislikes,
           count(DISTINCT user_id) FILTER (rating >= $like_min) AS with_likes, count(DISTINCT user_id) AS users,
           100.0 * count(*) FILTER (rating >= $like_min) / count(*) AS likes,
           100.0 * count(*) FILTER (rating > $dislike_max AND rating < $like_min) / count(*) AS neither,
           100.0 * count(*) FILTER (rating <= $dislike_max) / count(*) AS dislikes
    FROM sides GROUP BY judged
)
SELECT * FROM kinds ORDER BY judged
"""
_SHIFTED = f"""{_JUDGED}
, sides AS (SELECT 'as given' AS judged, before AS rating FROM judged UNION ALL SELECT 'per user', after FROM judged)
SELECT judged, round(rating / $step) * $step AS rating, count(*) AS reviews FROM sides GROUP BY ALL ORDER BY ALL
"""
_USER_MEANS = """
WITH users AS (SELECT avg(rating) AS mean FROM reviews WHERE core GROUP BY user_id)
SELECT count(*) AS users, avg(mean) AS mean, stddev_pop(mean) AS spread, min(mean) AS lowest, max(mean) AS highest FROM users
"""
_ITEMS = """
WITH reviewed AS (SELECT item_id, count(*) AS reviews, avg(rating) AS rating FROM reviews WHERE core GROUP BY item_id),
history AS (SELECT item_id, count(*) AS times FROM preferences WHERE collection IN ('LIKES', 'DISLIKES') GROUP BY item_id),
accepted AS (SELECT dialogue_id FROM verdicts WHERE verdict = 'accepted'),
recommended AS (SELECT target_item_id AS item_id, count(*) AS times FROM briefs SEMI JOIN accepted USING (dialogue_id) GROUP BY 1),
counted AS (
    SELECT i.item_id, i.title, coalesce(r.reviews, 0) AS reviews, r.rating,
           coalesce(h.times, 0) AS history, coalesce(t.times, 0) AS recommended,
           ntile(10) OVER (ORDER BY coalesce(r.reviews, 0) DESC, i.item_id) AS tenth
    FROM items i LEFT JOIN reviewed r USING (item_id) LEFT JOIN history h USING (item_id) LEFT JOIN recommended t USING (item_id)
    WHERE r.reviews IS NOT NULL OR h.times IS NOT NULL OR t.times IS NOT NULL
)
"""
_TENTHS = f"""{_ITEMS}
SELECT tenth, count(*) AS items, sum(history)::BIGINT AS history, sum(recommended)::BIGINT AS recommended
FROM counted GROUP BY tenth ORDER BY tenth
"""
_TOP = f"""{_ITEMS} SELECT item_id, title, reviews, rating, history, recommended FROM counted
WHERE recommended > 0 ORDER BY recommended DESC, history DESC, item_id LIMIT 10"""
_COUNTS = f"{_ITEMS} SELECT history, recommended FROM counted"
_SIDES = f"""{_ITEMS}
, sides AS (
    SELECT 1 AS place, 'what users did (LIKES, DISLIKES)' AS what, history AS times, reviews, rating FROM counted WHERE history > 0
    UNION ALL SELECT 2, 'what is recommended', recommended, reviews, rating FROM counted WHERE recommended > 0
)
SELECT what, sum(times)::BIGINT AS times, count(*) AS items,
       sum(reviews * times)::DOUBLE / sum(times) AS reviews, sum(rating * times) / sum(times) AS rating
FROM sides GROUP BY place, what ORDER BY place
"""


@dataclass(frozen=True)
class RatingBias:
    """Ratings of the source against those behind the dialogues, and what per-user normalisation does.

    Attributes:
        in_force: how ratings are judged in this build: "as given" or "per user".
        ratings: reviews by group and rating; polarity: the groups' shares of positive, neutral, negative (percent) and words.
        shift: one row each for both ways to judge: shares of LIKES, neither, DISLIKES (percent of core reviews).
        shifted: core reviews by judged rating, both ways.
        user_means: how the users' mean ratings differ.
    """

    in_force: str
    like_min: float
    dislike_max: float
    ratings: Rows
    polarity: Rows
    shift: Rows
    shifted: Rows
    user_means: dict[str, Any]


@dataclass(frozen=True)
class Popularity:
    """Which items users dealt with against which are recommended.

    Attributes:
        tenths: items in ten equal parts by number of reviews, the most reviewed first: history, recommended (times).
        top: the items recommended most.
        sides: mean reviews and rating of an item, weighted by how often it stands on each side.
        curves: name -> cumulative share of times (percent), items with the most times first, at 0 to 100 percent of the items.
        gini: name -> Gini coefficient, 0 when all items come equally often.
    """

    tenths: Rows
    top: Rows
    sides: Rows
    curves: dict[str, list[float]]
    gini: dict[str, float]


def rating_bias(con: duckdb.DuckDBPyConnection, domain: Domain) -> RatingBias:
    """Return ratings and polarity of the source and of what dialogues tell, and both ways of judging a rating side by side.

    Per user: the rating minus the user's mean plus everybody's mean, over the core (as in preprocessing).
    """
    settings, (low, high) = domain.preprocess, domain.sources.rating_scale
    bounds = {"like_min": settings.like_min, "dislike_max": settings.dislike_max}
    step = max(1.0, (high - low) / 10)
    return RatingBias(
        in_force="per user" if settings.bias.normalise_ratings == "user_mean" else "as given",
        like_min=settings.like_min,
        dislike_max=settings.dislike_max,
        ratings=rows(con, _RATINGS, {"low": low, "step": step}),
        polarity=rows(con, _POLARITY, bounds),
        shift=rows(con, _SHIFT, bounds),
        shifted=rows(con, _SHIFTED, {"step": step / 2}),
        user_means=one(con, _USER_MEANS),
    )


def popularity(con: duckdb.DuckDBPyConnection) -> Popularity:
    """Return how unevenly items are dealt with and recommended."""
    counts = con.execute(_COUNTS).fetchnumpy()
    sides = {"what users did": np.asarray(counts["history"]), "what is recommended": np.asarray(counts["recommended"])}
    curves = {name: _curve(values) for name, values in sides.items()}
    gini = {name: _gini(values) for name, values in sides.items()}
    return Popularity(rows(con, _TENTHS), rows(con, _TOP), rows(con, _SIDES), curves, gini)


def _curve(values: npt.NDArray[np.int64]) -> list[float]:
    """Return the share of the sum (percent) held by the first 0, 1, ... 100 percent of the values, largest first."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    if not ordered.sum():
        return [0.0] * 101
    held = np.concatenate([[0.0], np.cumsum(ordered)]) / ordered.sum() * 100
    places = np.linspace(0, len(ordered), 101)
    return [float(share) for share in np.interp(places, np.arange(len(held)), held)]


def _gini(values: npt.NDArray[np.int64]) -> float:
    """Return the Gini coefficient of counts: 0 when all are equal, near 1 when one has everything."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    total, size = ordered.sum(), len(ordered)
    return float(2 * (np.arange(1, size + 1) * ordered).sum() / (size * total) - (size + 1) / size) if total else 0.0
