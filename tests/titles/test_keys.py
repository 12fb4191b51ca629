"""What makes two titles the same at each strength, and that every caller keeps to the one table."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks.titles as titles_module
from tasks.briefs.slot_filling import HistoryItem, user_history
from tasks.dialogues import SlotItem, parse
from tasks.evaluation.matching import Matcher
from tasks.ingest.items import fill_items
from tasks.quality.text_patterns import titles_in_quotes
from tasks.templates.values import Turn
from tasks.titles import (
    exact_key,
    folded_key,
    plain_words,
    spoken_key,
    without_year,
    work_key,
    year_of,
)
from tasks.warehouse import create_tables

STRENGTHS: dict[str, Callable[[str], str]] = {
    "exact": exact_key,
    "folded": folded_key,
    "work": work_key,
    "spoken": spoken_key,
}
NEVER = "never"

# The first strength at which two titles are the same.
PAIRS = [
    ("The Mummy", "The  Mummy ", "exact"),
    ("Am\u00e9lie Poulain", "Ame\u0301lie Poulain", "exact"),
    ("The Mummy", "THE MUMMY", "folded"),
    ("Am\u00e9lie Poulain", "Amelie Poulain", "folded"),
    ("Ocean's Eleven", "Ocean\u2019s Eleven", "folded"),
    ("Ocean's Eleven", "Oceans Eleven", "folded"),
    ("Tom & Jerry", "Tom and Jerry", "folded"),
    ("Tom &amp; Jerry", "Tom & Jerry", "folded"),
    ("Spider-Man: Homecoming", "Spider Man - Homecoming", "folded"),
    ("Pok\u00e9mon\u00ae Heroes", "Pokemon Heroes", "folded"),
    ("The Matrix [VHS]", "The Matrix", "folded"),
    ("The Matrix (Widescreen Edition) [Blu-ray]", "The Matrix - DVD", "folded"),
    ("Long Matrix, The", "The Long Matrix", "folded"),
    ("Matrix Tales, The (1999)", "The Matrix Tales (1999)", "folded"),
    ("The Long Mummy", "Long Mummy", "work"),
    ("A Long House", "The Long House", "work"),
    ("Rocky Road II", "Rocky Road 2", "work"),
    ("Kill Bill: Vol. 2", "Kill Bill Volume Two", "work"),
    ("Harry Hill Part I", "Harry Hill, Part One", "work"),
    ("Romeo + Juliet", "Romeo & Juliet", "work"),
    ("M*A*S*H Unit", "MASH Unit", "work"),
    ("Spider-Man Home", "Spiderman Home", "spoken"),
    ("Wire & Whisper", "Wire Whisper", "spoken"),
    ("S.W.A.T. Team", "SWAT Team", "spoken"),
    ("Alien Dawn", "Aliens Dawn", NEVER),
    ("Alien Dawn", "Alien Dawn 3", NEVER),
    ("Rocky Road II", "Rocky Road III", NEVER),
    ("Apollo 13", "Apollo 14", NEVER),
    ("The Mummy (1932)", "The Mummy (1999)", NEVER),
    ("Friends: Season 1", "Friends: Season 2", NEVER),
]


def first_strength(one: str, other: str) -> str:
    return next((name for name, key in STRENGTHS.items() if key(one) == key(other)), NEVER)


def at(strength: str) -> list[object]:
    """Return the pairs with whether they are the same at a strength."""
    order = [*STRENGTHS, NEVER]
    return [
        (one, other, order.index(first) <= order.index(strength)) for one, other, first in PAIRS
    ]


@pytest.mark.parametrize(("one", "other", "first"), PAIRS)
def test_the_table(one: str, other: str, first: str) -> None:
    assert first_strength(one, other) == first_strength(other, one) == first


@pytest.mark.parametrize(
    ("one", "other", "first"),
    [
        ("Programming in C", "Programming in C#", "never"),
        ("Programming in C", "Programming in C++", "never"),
        ("!!!", "???", "never"),
        ("\U0001f600", "\U0001f4a9", "never"),
        ("The A-Team", "A-Team", "work"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u0928\u0926", "spoken"),
    ],
)
def test_odd_titles(one: str, other: str, first: str) -> None:
    assert first_strength(one, other) == first


@pytest.mark.parametrize(("one", "other", "same"), at("folded"))
def test_merging_editions_is_folded(one: str, other: str, same: bool) -> None:
    con = duckdb.connect()
    create_tables(con)
    con.execute(
        "CREATE TABLE published_titles (item_id VARCHAR, title VARCHAR, file_order INT, line INT)"
    )
    for item_id, title in (("a", one), ("b", other)):
        con.execute("INSERT INTO raw_reviews BY NAME SELECT ? AS item_id", [item_id])
        con.execute("INSERT INTO published_titles VALUES (?, ?, 1, 1)", [item_id, title])
    fill_items(con, id_as_title=False, merge_editions=True)
    works = con.execute("SELECT count(DISTINCT work_id) FROM items").fetchall()
    assert works == [(1 if same else 2,)]


@pytest.mark.parametrize(("one", "other", "same"), at("work"))
def test_a_users_works_are_work(one: str, other: str, same: bool) -> None:
    items = [
        HistoryItem(item, "LIKES", title, item, 5.0, None)
        for item, title in (("a", one), ("b", other))
    ]
    assert user_history(items).works_of("LIKES") == (1 if same else 2)


@pytest.mark.parametrize(("one", "other", "same"), at("work"))
def test_generated_titles_are_exact_then_work(one: str, other: str, same: bool) -> None:
    match = Matcher({"a": one}, threshold=101.0).match([other])[other]
    assert (match.item_id, match.how) == (
        ("a", "exact" if exact_key(one) == exact_key(other) else "normalised")
        if same
        else (None, "none")
    )


@pytest.mark.parametrize(("one", "other", "same"), at("spoken"))
def test_due_and_quoted_titles_are_spoken(one: str, other: str, same: bool) -> None:
    turns = [Turn("user", ("greeting_likes",), (1,))]
    said = " ".join(other.split())
    (named,) = parse(
        f"User: I saw {said}, yes.", "paper", [SlotItem(1, "a", one)], turns
    ).utterances
    assert named.item_ids == (("a",) if same else ())
    if "[" not in other and "*" not in other and "(" not in other:
        assert titles_in_quotes(f'I saw "{said}" twice.', [one]) == ([] if same else [said])


@pytest.mark.parametrize("key", STRENGTHS.values(), ids=STRENGTHS)
@given(title=st.one_of(st.text(max_size=40), st.lists(st.sampled_from(
    "The a Mummy , The II 2 (1999) [VHS] DVD & + C++ Vol. part two & . - ' edition special * "
    "\u00e9 &amp; x no 1 and".split()
), max_size=9).map(" ".join)))  # fmt: skip
def test_a_key_is_its_own_key(key: Callable[[str], str], title: str) -> None:
    assert key(key(title)) == key(title)


WORDS = (
    "The the A Mummy mummy Mummy, II 2 (1999) [VHS] DVD & and + Vol. vol volume two . - ' special "
    "edition * \u00e9 e"
).split()
TITLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)


@given(TITLES, TITLES)
def test_the_same_at_one_strength_is_the_same_at_every_later_one(one: str, other: str) -> None:
    same = [key(one) == key(other) for key in STRENGTHS.values()]
    assert same == sorted(same)


@given(st.text(max_size=60))
def test_words_are_runs_of_letters_and_digits(text: str) -> None:
    assert all(word and all(char.isalnum() for char in word) for word in plain_words(text))


def test_years() -> None:
    assert [
        year_of(title) for title in ("Heat (1995)", "Heat [1995] (1996)", "1917", "(500) Days")
    ] == [1995, 1996, None, None]
    assert [without_year(title) for title in ("Heat (1995)", "Matrix (1999) [DVD]", "(1917)")] == [
        "Heat",
        "Matrix [DVD]",
        "(1917)",
    ]


@pytest.mark.parametrize(
    "evil", ["dvd " * 3_000, "the " * 5_000 + "x", "( " * 5_000, "part one " * 5_000, "A " * 5_000]
)
def test_hostile_titles_come_back(evil: str) -> None:
    began = time.process_time()
    for key in STRENGTHS.values():
        key(evil)
    assert time.process_time() - began < 5


def test_the_page_has_the_module_docstrings_tables() -> None:
    page = (
        (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "titles.md")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    rows = [line for line in (titles_module.__doc__ or "").splitlines() if line.startswith("|")]
    assert len(rows) > 15 and set(rows) <= set(page)
