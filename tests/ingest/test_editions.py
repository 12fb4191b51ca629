"""Editions of one work become one item when a domain asks for it; every source line stays in reach."""

from __future__ import annotations

import pytest

from tasks.lineage import dialogue_lineage, dialogue_lines
from tasks.preprocess import preprocess
from tasks.settings import Domain
from tasks.titles import clean_title, folded_key

METADATA = [
    {"asin": "B1", "title": "Alien (Director&#39;s Cut) [VHS]"},
    {"asin": "B2", "title": "ALIEN [Blu-ray]"},
    {"asin": "B3", "title": "Aliens"},
    {"asin": "B4", "title": ""},
    {"asin": "B5", "title": ""},
]
REVIEWED = [
    ("A1", "B2"),
    ("A1", "B1"),
    ("A1", "B3"),
    ("A2", "B1"),
    ("A2", "B4"),
    ("A2", "B5"),
    ("A3", "B2"),
]
WORKS = "SELECT item_id, work_id FROM items ORDER BY ALL"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Matrix [VHS]", "THE MATRIX (Widescreen Edition) [Blu-ray]"),
        ("Ocean's Eleven", "Ocean\u2019s Eleven - DVD"),
        ("Amélie", "Amelie [DVD]"),
        ("Tom &amp; Jerry", "Tom and Jerry"),
        ("Spider-Man: Homecoming", "Spider Man - Homecoming"),
    ],
)
def test_editions_have_one_key(one, other):
    assert folded_key(clean_title(one)) == folded_key(clean_title(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien", "Aliens"),
        ("The Mummy (1932)", "The Mummy (1999)"),
        ("Alien", "Alien 3"),
        ("Programming in C", "Programming in C#"),
        ("C", "C++"),
        ("!!!", "???"),
        ("\U0001f600", "\U0001f4a9"),
        ("हिन्दी", "हनद"),
    ],
)
def test_different_works_have_different_keys(one, other):
    assert folded_key(clean_title(one)) != folded_key(clean_title(other))


def test_editions_stay_apart_unless_asked(write, run, rows, review):
    run(
        write("r.json", [review(reviewerID=user, asin=item) for user, item in REVIEWED]),
        write("m.json", METADATA),
    )
    assert rows(WORKS) == [(f"B{number}", f"B{number}") for number in range(1, 6)]


def test_a_user_reviews_a_work_once_and_the_line_set_aside_is_named(write, run, rows, review):
    reviews = write("r.json", [review(reviewerID=user, asin=item) for user, item in REVIEWED])
    counts = run(reviews, write("m.json", METADATA), merge_editions=True)
    # items without a title are called by their ids and are nobody's edition
    assert rows(WORKS) == [("B1", "B1"), ("B2", "B1"), ("B3", "B3"), ("B4", "B4"), ("B5", "B5")]
    assert (counts.lines, counts.reviews, counts.rejected["other_edition"]) == (7, 6, 1)
    assert (counts.items, counts.works, counts.bad_share) == (5, 4, 0)
    assert rows("SELECT source_line, kind, detail FROM rejected_rows") == [
        (2, "other_edition", "the first is in r.json, line 1")
    ]
    assert rows("SELECT user_id, item_id FROM raw_reviews ORDER BY source_line")[0] == ("A1", "B2")


def test_reviews_stand_under_the_work_and_lead_back_to_their_lines(write, run, rows, review, con):
    lines = [review(reviewerID=user, asin=item, reviewText="word " * 20) for user, item in REVIEWED]
    run(write("r.json", lines), write("m.json", METADATA), merge_editions=True)
    # B1 has three users only as a work
    few = {"min_user_interactions": 1, "min_item_interactions": 3}
    sources = {"format": "amazon_2014", "reviews": ["r.json"]}
    counts = preprocess(
        con, Domain.model_validate({"name": "test", "sources": sources, "preprocess": few})
    )
    assert (counts.core_users, counts.core_items) == (3, 1)
    assert rows(
        "SELECT p.user_id, p.item_id, s.item_id, s.source_line FROM preferences p JOIN raw_reviews s USING (review_id) ORDER BY p.user_id"
    ) == [("A1", "B1", "B2", 1), ("A2", "B1", "B1", 4), ("A3", "B1", "B2", 7)]
    con.execute("INSERT INTO briefs VALUES ('d1', 'A1', 1, 'B1', 't', 1, 6, 0)")
    con.execute(
        "INSERT INTO brief_items SELECT 'd1', 1, 'B1', 'Alien', 'MIGHT_LIKES', review_id, NULL FROM preferences WHERE user_id = 'A1'"
    )
    told = list(dialogue_lines(dialogue_lineage(con, "test", "d1")))
    assert any(
        "Alien (B1, MIGHT_LIKES)" in line and "r.json line 1 of B2, rated 5" in line
        for line in told
    )
