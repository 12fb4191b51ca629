"""The preprocess stage: `raw_reviews` to `reviews` and `preferences` (Appendix B)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import duckdb

from tasks.errors import UserError
from tasks.ingest import source_names
from tasks.preprocess.growth import keep_preferences
from tasks.preprocess.preferences import PreferenceCounts, fill_preferences
from tasks.preprocess.word_counts import WordCounts, admit
from tasks.settings import Domain, Preprocess
from tasks.warehouse import create_table

_COUNT_ONCE = """
CREATE OR REPLACE TEMP TABLE core_rows AS
WITH counted AS NOT MATERIALIZED (
    SELECT *
    FROM {source}
    WHERE $count = 'all' OR rating >= $like_min OR rating <= $dislike_max
),
users AS (SELECT user_id FROM counted GROUP BY user_id HAVING count(*) >= $user_min),
enough AS (SELECT item_id FROM counted GROUP BY item_id HAVING count(*) >= $item_min)
SELECT row_id, user_id, item_id, rating
FROM {source}
SEMI JOIN users USING (user_id)
SEMI JOIN enough USING (item_id)
"""


def mark_core(con: duckdb.DuckDBPyConnection, settings: Preprocess) -> int:
    """Set `core` in the temporary table `admitted` and return the number of counting rounds.

    One pass counts users and items on the same rows, as in the paper: users that are removed do
    not change the counts of items. The fixpoint counts again until nothing is removed. With
    `count: judged` a rating between the thresholds is not counted; it is in the core if its user
    and its item are.
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


@dataclass(frozen=True)
class PreprocessCounts:
    """What preprocessing read and kept.

    Attributes:
        reviews: rows of `raw_reviews`.
        cleaned: reviews that lost irregular tokens or markup.
        too_short: reviews below `min_words`.
        too_long: reviews above `max_words`.
        kept: rows of `reviews`, within the limits.
        core_reviews: rows with `core`.
        core_users: users of those.
        core_items: items of those.
        rounds: how often interactions were counted until the core no longer changed.
        positive: core reviews rated as likes.
        negative: core reviews rated as dislikes.
        without_title: positive and negative core reviews of items that are not in `items`; they are
            in no collection.
        likes: rows of `preferences` in LIKES.
        dislikes: rows in DISLIKES.
        might_likes: rows in MIGHT_LIKES; as many dialogues can be planned.
        users: users with at least one MIGHT_LIKES.
    """

    reviews: int
    cleaned: int
    too_short: int
    too_long: int
    kept: int
    core_reviews: int
    core_users: int
    core_items: int
    rounds: int
    positive: int
    negative: int
    without_title: int
    likes: int
    dislikes: int
    might_likes: int
    users: int


_FILL_REVIEWS = """
INSERT INTO reviews
WITH editions AS (SELECT item_id, work_id FROM items WHERE work_id <> item_id)
SELECT
    review_id,
    r.user_id,
    coalesce(e.work_id, r.item_id),
    r.rating,
    coalesce(a.text, r.text),
    a.words,
    timestamp,
    (list_position($files, source_file) - 1) * 1000000000000 + source_line,
    a.core
FROM raw_reviews r
JOIN admitted a ON r.rowid = a.row_id
LEFT JOIN editions e ON e.item_id = r.item_id
"""

_CORE = "SELECT count(*), count(DISTINCT user_id), count(DISTINCT item_id) FROM reviews WHERE core"


def preprocess(con: duckdb.DuckDBPyConnection, domain: Domain) -> PreprocessCounts:
    """Fill `reviews` and `preferences` from `raw_reviews` and `items` (Appendix B).

    Editions of one work have the work's id. `source_order` is the file's position in the domain
    times 10^12, plus the line: it increases in source order, and rows added at a source's end do
    not change that of others. Items that are not in `items` count for the core like all others and
    are left out of `preferences` only. With `briefs.grow`, users whom dialogues were planned for
    keep their preferences (`tasks/preprocess/growth.py`).

    Raises:
        UserError: no review is within the word limits, nothing is left of the core, or no user has
            a MIGHT_LIKES.
    """
    settings, grow = domain.preprocess, bool(domain.briefs.grow)
    if grow:
        keep_preferences(con)
    for table in ("reviews", "preferences"):
        create_table(con, table, replace=True)
    words = admit(con, settings)
    rounds = mark_core(con, settings)
    con.execute(_FILL_REVIEWS, {"files": source_names(domain.sources)[0]})
    con.execute("DROP TABLE admitted")
    core_reviews, core_users, core_items = _row(con, _CORE)
    if not core_reviews:
        raise UserError(_no_core(words, rounds, settings))
    preferences = fill_preferences(con, settings, grow=grow)
    if not preferences.users:
        raise UserError(_no_likes(core_reviews, preferences, settings))
    return PreprocessCounts(
        reviews=words.reviews,
        cleaned=words.cleaned,
        too_short=words.too_short,
        too_long=words.too_long,
        kept=words.kept,
        core_reviews=core_reviews,
        core_users=core_users,
        core_items=core_items,
        rounds=rounds,
        **asdict(preferences),
    )


def _no_core(words: WordCounts, rounds: int, settings: Preprocess) -> str:
    hints = ["lower min_user_interactions or min_item_interactions"]
    if settings.core == "fixpoint":
        hints.append("or set core to one_pass")
    if settings.count == "judged":
        hints.append("or count to all")
    if words.too_short > words.kept:
        hints.append("or min_words, as a script without spaces needs")
    return (
        f"no user left: of {words.reviews} reviews {words.kept} have {settings.min_words} to "
        f"{settings.max_words} words, and none of these is left after core {settings.core} "
        f"with at least {settings.min_user_interactions} per user and "
        f"{settings.min_item_interactions} per item ({rounds} round{'s' * (rounds != 1)}): "
        f"{', '.join(hints)}"
    )


def _no_likes(core_reviews: int, preferences: PreferenceCounts, settings: Preprocess) -> str:
    return (
        f"no user left: of {core_reviews} core reviews {preferences.positive} are rated "
        f"{settings.like_min:g} or above, and those of items with a title give no MIGHT_LIKES "
        f"({preferences.without_title} reviews are of items without one): "
        "add metadata, set untitled to use_id, or lower like_min"
    )


def _row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return tuple(int(value) for value in con.execute(query).fetchall()[0])
