"""Appendix B, by hand on small cases and on the real file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tasks.errors import UserError
from tasks.ingest import ingest
from tasks.preprocess import preprocess
from tasks.settings import Domain
from tasks.warehouse import create_tables, open_warehouse

COLLECTIONS = (
    "SELECT user_id, collection, item_id FROM preferences ORDER BY user_id, collection, position"
)


def rated(
    user: str, ratings: list[float], start: int = 0
) -> list[tuple[str, str, float, str, int]]:
    """A user's reviews of items i0, i1, ... in time order."""
    return [
        (user, f"i{number}", rating, "word", start + number)
        for number, rating in enumerate(ratings)
    ]


def words(count: int) -> str:
    return " ".join(["word"] * count)


def test_word_limits_are_inclusive(run, rows):
    reviews = [("u", f"i{count}", 5.0, words(count), count) for count in (19, 20, 400, 401)]
    counts = run(reviews, min_words=20, max_words=400)
    assert (counts.reviews, counts.too_short, counts.too_long, counts.kept) == (4, 1, 1, 2)
    assert rows("SELECT item_id, words FROM reviews ORDER BY words") == [("i20", 20), ("i400", 400)]


def test_words_are_counted_after_irregular_tokens_were_dropped(run, rows):
    text = words(19) + " :) !!!"
    with pytest.raises(UserError, match="no user left: of 1 reviews 0 have 20 to 400 words"):
        run([("u", "i", 5.0, text, 1)], min_words=20)
    run([("u", "i", 5.0, text, 1)], min_words=20, irregular_tokens="keep")
    assert rows("SELECT words, text FROM reviews") == [(21, text)]


def test_the_kept_text_is_the_cleaned_one_and_the_others_are_untouched(run, rows):
    run(
        [
            ("u", "i1", 5.0, "Good  sound :-)\nand <b>more</b> &amp; more", 1),
            ("u", "i2", 5.0, "Two  spaces,\nstay.", 2),
        ]
    )
    assert rows("SELECT text, words FROM reviews ORDER BY item_id") == [
        ("Good sound and more & more", 6),
        ("Two  spaces,\nstay.", 3),
    ]


@pytest.mark.parametrize("blank", ["\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "  "])
def test_all_whitespace_parts_words(blank, run, rows):
    run([("u", "i", 5.0, f"one{blank}two three{blank}", 1)], irregular_tokens="keep")
    assert rows("SELECT words FROM reviews") == [(3,)]


def test_one_pass_counts_users_and_items_on_the_same_rows(run, rows):
    # u1 has 2 reviews, u2 has 1; x has 2, y has 1. Counted once with at least 2: u1 and x stand,
    # (u1, x) stays.
    reviews = [("u1", "x", 5.0, "a", 1), ("u1", "y", 5.0, "a", 2), ("u2", "x", 5.0, "a", 3)]
    counts = run(reviews, min_user_interactions=2, min_item_interactions=2)
    assert (counts.core_reviews, counts.core_users, counts.core_items, counts.rounds) == (
        1,
        1,
        1,
        1,
    )
    assert rows("SELECT user_id, item_id, core FROM reviews ORDER BY source_order") == [
        ("u1", "x", True),
        ("u1", "y", False),
        ("u2", "x", False),
    ]
    with pytest.raises(
        UserError,
        match=r"no user left: of 3 reviews 3 have .* \(2 rounds\).*or set core to one_pass",
    ):
        run(reviews, min_user_interactions=2, min_item_interactions=2, core="fixpoint")


def test_judged_counts_likes_and_dislikes_alone(run, rows):
    # u: two judged of three, v: two of two, w: one of two; x: three judged of three, y: two of
    # three, z: none of one
    reviews = [
        ("u", "x", 5.0, "a", 1), ("u", "y", 3.0, "a", 2), ("u", "z", 3.0, "a", 3), ("u", "y2", 1.0, "a", 4),
        ("v", "x", 4.0, "a", 1), ("v", "y", 2.0, "a", 2), ("w", "x", 5.0, "a", 1), ("w", "y", 3.0, "a", 2),
        ("u2", "y", 5.0, "a", 1), ("u2", "x", 2.1, "a", 2),
    ]  # fmt: skip
    core = "SELECT user_id, item_id FROM reviews WHERE core ORDER BY ALL"
    limits = {"min_user_interactions": 2, "min_item_interactions": 2}
    run(reviews, **limits)
    assert rows(core) == [
        ("u", "x"),
        ("u", "y"),
        ("u2", "x"),
        ("u2", "y"),
        ("v", "x"),
        ("v", "y"),
        ("w", "x"),
        ("w", "y"),
    ]
    run(reviews, count="judged", **limits)
    assert rows(core) == [("u", "x"), ("u", "y"), ("v", "x"), ("v", "y")]
    # v has two judged items and u, whose y2 fell, one: counted again u falls, and with it all but
    # v's
    with pytest.raises(UserError, match="set core to one_pass, or count to all"):
        run(reviews, count="judged", core="fixpoint", **limits)


def test_judged_goes_by_the_domains_own_thresholds(run, rows):
    reviews = [
        ("u", "x", 5.0, "a", 1),
        ("u", "y", 4.0, "a", 2),
        ("v", "x", 5.0, "a", 1),
        ("v", "y", 1.0, "a", 2),
    ]
    run(reviews, count="judged", min_user_interactions=2, like_min=4.5, dislike_max=1)
    assert rows("SELECT DISTINCT user_id FROM reviews WHERE core") == [("v",)]


def test_the_fixpoint_stands_on_itself(run, rows):
    # a square of two users and two items, and a tail that falls off in two rounds
    square = [(user, item, 5.0, "a", 1) for user in ("u1", "u2") for item in ("x", "y")]
    counts = run(
        [*square, ("u3", "x", 5.0, "a", 1), ("u3", "z", 5.0, "a", 2)],
        min_user_interactions=2,
        min_item_interactions=2,
        core="fixpoint",
    )
    assert counts.core_reviews == 4
    assert counts.rounds == 3
    assert rows("SELECT DISTINCT user_id FROM reviews WHERE core ORDER BY ALL") == [
        ("u1",),
        ("u2",),
    ]


def test_short_reviews_count_neither_for_users_nor_for_items(run):
    with pytest.raises(UserError, match="no user left"):
        run(
            [("u", "x", 5.0, "long enough", 1), ("u", "y", 5.0, "short", 2)],
            min_words=2,
            min_user_interactions=2,
        )


@pytest.mark.parametrize(
    ("likes", "last"), [(1, 1), (9, 1), (10, 1), (19, 1), (20, 2), (30, 3), (99, 9), (100, 10)]
)
def test_the_last_tenth_rounded_down_but_at_least_one_might_be_liked(likes, last, run, rows):
    counts = run(rated("u", [5.0] * likes))
    assert (counts.likes, counts.might_likes) == (likes - last, last)
    expected = [("u", "LIKES", f"i{number}") for number in range(likes - last)]
    assert rows(COLLECTIONS) == expected + [
        ("u", "MIGHT_LIKES", f"i{number}") for number in range(likes - last, likes)
    ]
    assert rows(
        "SELECT min(position), max(position) FROM preferences WHERE collection = 'MIGHT_LIKES'"
    ) == [(1, last)]


def test_a_share_that_binary_fractions_cannot_hold(run):
    assert run(rated("u", [5.0] * 100), might_like_share=0.29).might_likes == 29


def test_the_least_number_is_a_setting(run):
    assert run(rated("u", [5.0] * 10), might_like_min=3).might_likes == 3
    assert run(rated("u", [5.0] * 2), might_like_min=3).might_likes == 2
    assert run(rated("u", [5.0] * 10) + rated("v", [5.0] * 9), might_like_min=0).users == 1


def test_likes_and_dislikes_by_rating_in_time_order_ties_by_source(run, rows):
    reviews = [
        ("u", "late", 4.0, "a", 30), ("u", "early", 5.0, "a", 10), ("u", "tie1", 4.5, "a", 20), ("u", "tie2", 5.0, "a", 20),
        ("u", "neutral", 3.0, "a", 1), ("u", "bad2", 1.0, "a", 9), ("u", "bad1", 2.0, "a", 8), ("u", "almost", 3.9, "a", 2),
        ("u", "barely", 2.1, "a", 3),
    ]  # fmt: skip
    counts = run(reviews)
    assert rows("SELECT collection, position, item_id, rating FROM preferences ORDER BY collection, position") == [
        ("DISLIKES", 1, "bad1", 2.0), ("DISLIKES", 2, "bad2", 1.0),
        ("LIKES", 1, "early", 5.0), ("LIKES", 2, "tie1", 4.5), ("LIKES", 3, "tie2", 5.0),
        ("MIGHT_LIKES", 1, "late", 4.0),
    ]  # fmt: skip
    assert (counts.positive, counts.negative, counts.users) == (4, 2, 1)


def test_without_timestamps_the_order_of_the_file_is_the_order(run, rows):
    run([("u", item, 5.0, "a", None) for item in ("c", "a", "b")])
    assert rows(COLLECTIONS) == [
        ("u", "LIKES", "c"),
        ("u", "LIKES", "a"),
        ("u", "MIGHT_LIKES", "b"),
    ]


def test_items_without_a_title_count_for_the_core_but_are_in_no_collection(run, rows):
    reviews = [
        ("u", "named", 5.0, "a", 1),
        ("u", "nameless", 5.0, "a", 2),
        ("u", "other", 1.0, "a", 3),
    ]
    counts = run(reviews, titled=["named"], min_user_interactions=3)
    assert rows(COLLECTIONS) == [("u", "MIGHT_LIKES", "named")]
    assert (counts.core_reviews, counts.positive, counts.negative, counts.without_title) == (
        3,
        2,
        1,
        2,
    )


def test_nobody_left_for_want_of_titles_or_likes(run):
    with pytest.raises(
        UserError,
        match=r"no user left: of 1 core reviews 1 are rated 4 or above.*\(1 reviews are of items without one\)",
    ):
        run([("u", "i", 5.0, "a", 1)], titled=[])
    with pytest.raises(UserError, match="of 1 core reviews 0 are rated 4 or above"):
        run([("u", "i", 1.0, "a", 1)])


def test_user_mean_moves_each_users_ratings_to_everybodys(run, rows):
    # harsh: mean 2, kind: mean 5 (four reviews), everybody: (1+2+3 + 5*3) / 6 = 3.5
    reviews = rated("harsh", [1.0, 2.0, 3.0]) + rated("kind", [5.0, 5.0, 5.0])
    with pytest.raises(UserError):
        run(reviews, bias={"normalise_ratings": "user_mean"}, like_min=4.6)
    counts = run(reviews, bias={"normalise_ratings": "user_mean"}, like_min=4.4, dislike_max=2.6)
    # harsh: 2.5, 3.5, 4.5; kind: 3.5 three times.
    assert (counts.positive, counts.negative) == (
        1,
        1,
    )
    assert rows("SELECT user_id, item_id, collection, rating FROM preferences ORDER BY ALL") == [
        ("harsh", "i0", "DISLIKES", 1.0),
        ("harsh", "i2", "MIGHT_LIKES", 3.0),
    ]


def test_reviews_appended_to_the_source_leave_the_order_of_the_others(run, rows):
    before = rated("u", [5.0, 4.0])
    run(before)
    first = rows("SELECT review_id, source_order FROM reviews ORDER BY ALL")
    run([*before, ("v", "i0", 5.0, "word", 0)])
    assert [
        row
        for row in rows("SELECT review_id, source_order FROM reviews ORDER BY ALL")
        if row[0] != "r3"
    ] == first


def test_running_again_replaces_everything(run, rows):
    run(rated("u", [5.0] * 5))
    run(rated("u", [5.0] * 3))
    assert (
        rows("SELECT count(*) FROM reviews") == rows("SELECT count(*) FROM preferences") == [(3,)]
    )


REAL = "amazon_2014/reviews_Musical_Instruments_5.json.gz"


def _real(path: Path, **settings: str) -> Domain:
    sources = {"format": "amazon_2014", "reviews": [str(path)]}
    return Domain.model_validate(
        {
            "name": "music",
            "untitled": "use_id",
            "sources": sources,
            "preprocess": {"irregular_tokens": "keep", **settings},
        }
    )


def test_the_figures_of_musical_instruments(shared_data: Path, tmp_path: Path):
    domain = _real(shared_data / REAL)
    with open_warehouse(tmp_path / "music.duckdb") as con:
        assert ingest(con, domain).reviews == 10_254
        counts = preprocess(con, domain)
        history = con.execute(
            "SELECT count(*), count(DISTINCT review_id), count(DISTINCT (user_id, item_id)) FROM preferences"
        ).fetchall()
    assert (counts.kept, counts.core_reviews, counts.core_users, counts.core_items) == (
        9_881,
        1_545,
        174,
        292,
    )
    assert (counts.positive, counts.negative, counts.might_likes, counts.users) == (
        1_389,
        40,
        176,
        174,
    )
    assert history == [(1_429, 1_429, 1_429)]


def test_what_counting_judged_ratings_gives_of_musical_instruments(shared_data: Path):
    """The figures of docs/explanation/preprocess.md.

    Among all counted, 40 of 174 users have fewer than ten likes and dislikes; with `judged`, none.
    """
    query = """
    WITH core_users AS (SELECT DISTINCT user_id FROM reviews WHERE core),
    judged AS (
        SELECT user_id, count(*) FILTER (rating >= 4 OR rating <= 2) AS n FROM reviews SEMI JOIN core_users USING (user_id) GROUP BY ALL
    )
    SELECT count(*), count(*) FILTER (n < 10), min(n) FROM judged
    """
    found = {}
    for count in ("all", "judged"):
        domain = _real(shared_data / REAL, count=count, irregular_tokens="drop")
        with duckdb.connect() as con:
            create_tables(con)
            ingest(con, domain)
            preprocess(con, domain)
            found[count] = con.execute(query).fetchall()[0]
    assert found == {"all": (174, 40, 7), "judged": (134, 0, 10)}


def test_the_fixpoint_of_musical_instruments_is_nothing(shared_data: Path):
    domain = _real(shared_data / REAL, core="fixpoint")
    with duckdb.connect() as con:
        create_tables(con)
        ingest(con, domain)
        with pytest.raises(
            UserError, match="no user left: of 10254 reviews 9881 have 20 to 400 words, and none"
        ):
            preprocess(con, domain)


def test_gift_cards_with_titles(shared_data: Path):
    sources = {
        "format": "amazon_2018",
        "reviews": [str(shared_data / "amazon_2018/Gift_Cards_5.json.gz")],
        "metadata": [str(shared_data / "amazon_2018/meta_Gift_Cards.json.gz")],
    }
    domain = Domain.model_validate(
        {"name": "gifts", "sources": sources, "preprocess": {"min_user_interactions": 3}}
    )
    with duckdb.connect() as con:
        create_tables(con)
        counts = ingest(con, domain)
        assert (counts.lines, counts.items, counts.untitled) == (2_972, 148, 0)
        assert preprocess(con, domain).users > 0
        assert con.execute(
            "SELECT count(*) FROM items WHERE contains(title, '&#') OR contains(title, '<')"
        ).fetchall() == [(0,)]
