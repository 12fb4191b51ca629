"""The paper's own limitation, counted: the ratings behind the dialogues.

And what judging them per user changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.settings import Domain
from tasks.verdicts import ACCEPTED
from tasks.warehouse import Rows, one_row, rows

# Which reviews a dialogue rests on: of accepted dialogues, each review once, the user's own and
# other people's apart.
_GROUPS = f"""
WITH {ACCEPTED},
slots AS (
    SELECT user_review_id, other_review_id FROM brief_items SEMI JOIN accepted USING (dialogue_id)
),
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
       quantile_cont(words, 0.1) AS short, median(words) AS median_words,
       quantile_cont(words, 0.9) AS long
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
, sides AS (
    SELECT user_id, 'as given' AS judged, before AS rating
    FROM judged
    UNION ALL SELECT user_id, 'per user', after FROM judged
),
kinds AS (
    SELECT judged, count(*) AS reviews,
           count(DISTINCT user_id) FILTER (rating <= $dislike_max) AS with_dislikes,
           count(DISTINCT user_id) FILTER (rating >= $like_min) AS with_likes,
           count(DISTINCT user_id) AS users,
           100.0 * count(*) FILTER (rating >= $like_min) / count(*) AS likes,
           100.0 * count(*) FILTER (rating > $dislike_max AND rating < $like_min)
               / count(*) AS neither,
           100.0 * count(*) FILTER (rating <= $dislike_max) / count(*) AS dislikes
    FROM sides GROUP BY judged
)
SELECT * FROM kinds ORDER BY judged
"""
_SHIFTED = f"""{_JUDGED}
, sides AS (
    SELECT 'as given' AS judged, before AS rating
    FROM judged
    UNION ALL SELECT 'per user', after FROM judged
)
SELECT judged, round(rating / $step) * $step AS rating, count(*) AS reviews
FROM sides GROUP BY ALL ORDER BY ALL
"""
_USER_MEANS = """
WITH users AS (SELECT avg(rating) AS mean FROM reviews WHERE core GROUP BY user_id)
SELECT count(*) AS users, avg(mean) AS mean, stddev_pop(mean) AS spread, min(mean) AS lowest,
       max(mean) AS highest
FROM users
"""


@dataclass(frozen=True)
class RatingBias:
    """Ratings of the source and of what is behind the dialogues, as given and judged per user.

    Attributes:
        in_force: how ratings are judged in this build: "as given" or "per user".
        ratings: reviews by group and rating.
        polarity: the groups' shares of positive, neutral and negative (percent), and words.
        shift: one row each for both ways to judge: shares of LIKES, neither, DISLIKES (percent of
            core reviews).
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


def rating_bias(con: duckdb.DuckDBPyConnection, domain: Domain) -> RatingBias:
    """Return ratings and polarity of the source and of the dialogues, judged in both ways.

    Per user: the rating minus the user's mean plus everybody's mean, over the core (as in
    preprocessing).
    """
    settings, (low, high) = domain.preprocess, domain.sources.rating_scale
    bounds = {"like_min": settings.like_min, "dislike_max": settings.dislike_max}
    step = rating_step(low, high)
    return RatingBias(
        in_force="per user" if settings.bias.normalise_ratings == "user_mean" else "as given",
        like_min=settings.like_min,
        dislike_max=settings.dislike_max,
        ratings=rows(con, _RATINGS, {"low": low, "step": step}),
        polarity=rows(con, _POLARITY, bounds),
        shift=rows(con, _SHIFT, bounds),
        shifted=rows(con, _SHIFTED, {"step": step}),
        user_means=one_row(con, _USER_MEANS),
    )


def rating_step(low: float, high: float) -> float:
    """Return the width of a bar in a chart of ratings.

    It is the finest of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that gives a scale at most ten bars.
    """
    tens = 10.0 ** math.floor(math.log10((high - low) / 10))
    least = (high - low) * (1 - 1e-9)  # allows for rounding
    return next(width * tens for width in (1, 2, 5, 10) if width * tens * 10 >= least)
