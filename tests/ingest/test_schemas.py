"""Schemas under which review collections are published, each line in the shape of a real one with invented words."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.errors import UserError

FOUND = "SELECT user_id, item_id, rating, text, timestamp FROM raw_reviews"
TITLES = "SELECT item_id, title FROM items"
PLAIN = {"user": "u", "item": "i", "rating": "r", "text": "t"}
ON_TEN = {"preprocess": {"like_min": 7, "dislike_max": 4}}


def test_yelp_with_businesses_under_another_name(write, run, rows):
    line = {
        "review_id": "KU_O", "user_id": "mh_-", "business_id": "XQfw", "stars": 3.0, "useful": 0, "text": "Be prepared to wait.",
        "date": "2016-03-09 13:05:00",
    }  # fmt: skip
    columns = {
        "user": "user_id", "item": "business_id", "rating": "stars", "text": "text", "timestamp": "date", "title": "name",
        "metadata_item": "id",
    }  # fmt: skip
    run(
        write("r.json", [line]),
        write("b.json", [{"id": "XQfw", "name": "Turning Point"}]),
        format="columns",
        columns=columns,
    )
    assert rows(FOUND) == [("mh_-", "XQfw", 3.0, "Be prepared to wait.", 1_457_528_700)]
    assert rows(TITLES) == [("XQfw", "Turning Point")]


def test_goodreads(write, run, rows):
    line = {
        "user_id": "8842",
        "book_id": "24375664",
        "rating": 5,
        "review_text": "Mind blowing.",
        "date_added": "Fri Aug 25 13:55:02 -0700 2017",
    }
    columns = {
        "user": "user_id",
        "item": "book_id",
        "rating": "rating",
        "text": "review_text",
        "timestamp": "date_added",
    }
    run(write("r.json.gz", [line]), format="columns", columns=columns)
    assert rows(FOUND) == [("8842", "24375664", 5.0, "Mind blowing.", 1_503_694_502)]


def test_imdb_on_ten_points_where_the_title_is_the_id(write, run, rows):
    line = {
        "reviewer": "kx",
        "movie": "Heat (1995)",
        "rating": "9",
        "review_date": "18 July 2005",
        "review_detail": "Tense.",
    }
    columns = {
        "user": "reviewer", "item": "movie", "rating": "rating", "text": "review_detail", "timestamp": "review_date", "title": "movie"
    }  # fmt: skip
    run(write("r.json", [line]), format="columns", columns=columns, rating_scale=(1, 10), **ON_TEN)
    assert rows(FOUND) == [("kx", "Heat (1995)", 9.0, "Tense.", 1_121_644_800)]
    assert rows(TITLES) == [("Heat (1995)", "Heat (1995)")]


def test_steam_as_python_literals_with_thumbs_and_nested_games(write, run, rows):
    lines = [
        "{u'user': u'Chaos', u'game': {u'id': u'35140', u'name': u'Arkham'}, u'recommend': True,"
        " u'posted': u'Posted November 5, 2011.', u'review': u'Nice.'}",
        "{u'user': u'Order', u'game': {u'id': u'35140'}, u'recommend': False,"
        " u'posted': u'Posted May 8, 2014.', u'review': u'\\xfcberlong'}",
    ]  # fmt: skip
    columns = {
        "user": "user", "item": "game.id", "rating": "recommend", "text": "review", "title": "game.name", "timestamp": "posted",
        "timestamp_format": "Posted %B %d, %Y.", "rating_values": {True: 5, "False": 1},
    }  # fmt: skip
    run(write("r.json", lines), format="columns", columns=columns)
    assert rows(FOUND + " ORDER BY rating") == [
        ("Order", "35140", 1.0, "überlong", 1_399_507_200),
        ("Chaos", "35140", 5.0, "Nice.", 1_320_451_200),
    ]
    assert rows(TITLES) == [("35140", "Arkham")]


@pytest.mark.parametrize("titled", [True, False])
def test_names_with_slashes_and_inner_names(titled, write, run, rows):
    line = {
        "beer/name": "Sausa",
        "beer": {"id": 47986},
        "review/overall": "1.5",
        "review/time": "1234817823",
        "profile": "st",
        "review/text": "Foam.",
    }
    columns = {
        "user": "profile",
        "item": "beer.id",
        "rating": "review/overall",
        "text": "review/text",
        "timestamp": "review/time",
    }
    run(
        write("r.json", [line]),
        format="columns",
        columns=columns | ({"title": "beer/name"} if titled else {}),
    )
    assert rows(FOUND) == [("st", "47986", 1.5, "Foam.", 1_234_817_823)]
    assert rows(TITLES) == [("47986", "Sausa" if titled else "47986")]


def test_an_inner_name_that_is_nowhere_is_missing(write, run):
    with pytest.raises(UserError, match=r"no field for item \(beer.id\)"):
        run(
            write("r.json", [{"u": 1, "beer": 5, "r": 5, "t": "x"}]),
            format="columns",
            columns={**PLAIN, "item": "beer.id"},
        )


def test_parquet_of_all_types(tmp_path: Path, run, rows):
    table = pa.table({
        "u": pa.array(["a", "b"]).dictionary_encode(),
        "i": pa.array([decimal.Decimal("45"), decimal.Decimal("7")]),
        "r": pa.array([decimal.Decimal("4.5"), None]),
        "t": pa.array([b"Good", b"Bad"]),
        "d": pa.array([datetime.date(2014, 2, 28)] * 2),
        "item": pa.array([{"name": "Forty-five", "tags": ["x"]}, {"name": "Seven", "tags": []}]),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "r.parquet")
    columns = {**PLAIN, "timestamp": "d", "title": "item.name"}
    counts = run(tmp_path / "r.parquet", format="columns", columns=columns, max_bad_share=0.5)
    assert rows(FOUND) == [("a", "45", 4.5, "Good", 1_393_545_600)]
    assert rows(TITLES) == [("45", "Forty-five")]
    assert counts.rejected == {"missing_field": 1}


def test_delimited_tables_as_other_programs_write_them(write, run, rows):
    spark = 'u,i,r,t\na,1,4,"She said \\"go, now\\"\nand left"\nb,1,5,"C:\\new"\nc,1,3,"open \\" and\nd,1,2,last\n'
    counts = run(write("spark.csv", spark), format="columns", columns=PLAIN, max_bad_share=0.5)
    assert rows("SELECT user_id, text, source_line FROM raw_reviews ORDER BY source_line") == [
        ("a", 'She said "go, now"\nand left', 2),
        ("b", "C:\\new", 4),
        ("d", "last", 6),
    ]
    assert counts.rejected == {"broken_line": 1}
    run(write("excel.csv", "u;i;r;t;\na;1;4,5;Good;\n"), format="columns", columns=PLAIN)
    assert rows(FOUND) == [("a", "1", 4.5, "Good", None)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.csv", "u,i,r,t,t\na,1,4,x,y\n", "has two columns t"),
        ("r.csv", "u" * 200_000 + ",i\n", "has no column"),
        ("r.json", json.dumps({"u": 1}, indent=1), "JSON over many lines"),
        ("r.json", "[" + json.dumps({"u": "x" * 99_999}) * 50 + "]", "begins with a line of megabytes"),
        ("r.json", '{"u":1,"i":2,"r":"good","t":"x"}\n', "columns.rating_values"),
        ("r.json", '{"u":1,"i":2,"r":9,"t":"x"}\n', "set `rating_scale`"),
    ],
)  # fmt: skip
def test_files_that_need_a_hand_say_which(name, content, words, write, run):
    with pytest.raises(UserError, match=words):
        run(write(name, content), format="columns", columns=PLAIN)


def test_parquet_given_as_amazons(tmp_path: Path, run):
    pq.write_table(pa.table({"reviewerID": ["a"]}), tmp_path / "r.parquet")
    with pytest.raises(UserError, match="is a Parquet file: format columns reads those"):
        run(tmp_path / "r.parquet")
