"""The same reviews come out of every format, packing and spelling."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.errors import UserError

ALL = "SELECT user_id, item_id, rating, text, timestamp, source_file, source_line FROM raw_reviews ORDER BY source_file, source_line"
COLUMNS = {
    "user": "who",
    "item": "what",
    "rating": "stars",
    "text": "words",
    "timestamp": "when",
    "title": "name",
}


@pytest.mark.parametrize("name", ["r.json", "r.jsonl", "r.json.gz", "r.json.zst"])
def test_2014_reviews_come_out_of_every_packing(name, write, run, rows, review):
    path = write(name, [review(), review(asin="B2", overall=1.0, reviewText="Broke on day one.")])
    counts = run(path)
    assert rows(ALL) == [
        ("A1", "B1", 5.0, "It works well.", 1393545600, name, 1),
        ("A1", "B2", 1.0, "Broke on day one.", 1393545600, name, 2),
    ]
    assert (counts.lines, counts.reviews, counts.rejected, counts.bad_share) == (2, 2, {}, 0.0)


def test_packing_is_told_by_content(write, run, review, tmp_path):
    packed = write("a.json.gz", [review()])
    plain_name = packed.rename(tmp_path / "a.json")
    assert run(plain_name).reviews == 1


def test_gzip_of_several_members_and_padding(write, run, review, tmp_path):
    one, two = write("1.gz", [review()]), write("2.gz", [review(asin="B2")])
    joined = tmp_path / "r.json.gz"
    joined.write_bytes(one.read_bytes() + two.read_bytes() + b"\0" * 512)
    assert run(joined).reviews == 2


@pytest.mark.parametrize("name", ["r.json.gz", "r.json.zst"])
def test_what_packs_extremely_well_comes_out_whole(name, write, run, rows, review):
    path = write(name, [review(), *[""] * 9_000_000, review(asin="B2")])
    assert path.stat().st_size < 20_000
    run(path)
    assert rows("SELECT item_id, source_line FROM raw_reviews ORDER BY ALL") == [
        ("B1", 1),
        ("B2", 9_000_002),
    ]


def test_zstd_of_several_frames(write, run, review, tmp_path):
    one, two = write("1.zst", [review()]), write("2.zst", [review(asin="B2")])
    joined = tmp_path / "r.json.zst"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    assert run(joined).reviews == 2


def test_2018_has_the_keys_of_2014_and_titles_in_its_metadata(write, run, rows, review):
    reviews = write("r.json", [review(verified=True, style={"Size:": " L"})])
    metadata = write(
        "m.json.gz",
        [
            {"asin": "B1", "title": "Tom &amp;amp; Jerry [VHS]"},
            {"asin": "B9", "title": "Unreviewed"},
        ],
    )
    counts = run(reviews, metadata, format="amazon_2018")
    assert rows("FROM items") == [("B1", "Tom & Jerry", "Tom &amp;amp; Jerry [VHS]", "B1")]
    assert (counts.items, counts.untitled, counts.metadata_lines) == (1, 0, 2)


def test_2014_metadata_may_be_python_literals(write, run, rows, review):
    reviews = write("r.json", [review(), review(asin="B2"), review(asin="B3")])
    metadata = write(
        "m.json",
        [
            "{'asin': 'B1', 'salesRank': {'Books': 1}, 'title': \"Schindler's List\", 'price': 1.5}",
            "{'title': 'It\\'s a Wonderful Life', 'asin': 'B2'}",
            json.dumps({"asin": "B3", "title": "As JSON"}),
            "{'asin': 'NOTREVIEWED', 'title': broken, ",
        ],
    )
    run(reviews, metadata)
    assert rows("SELECT item_id, title FROM items ORDER BY ALL") == [
        ("B1", "Schindler's List"),
        ("B2", "It's a Wonderful Life"),
        ("B3", "As JSON"),
    ]


def test_2023_has_parents_milliseconds_and_a_review_title_that_is_no_item_title(write, run, rows):
    line = {
        "user_id": "AE_2-x",
        "asin": "C1",
        "parent_asin": "P1",
        "rating": 4.0,
        "text": "Fine.",
        "title": "Nice",
        "timestamp": 1588615855070,
    }
    orphan = {
        key: value for key, value in {**line, "user_id": "U2"}.items() if key != "parent_asin"
    }
    reviews = write("r.jsonl.gz", [line, orphan])
    metadata = write("m.jsonl.gz", [{"parent_asin": "P1", "title": "The Item"}])
    counts = run(reviews, metadata, format="amazon_2023")
    assert rows("SELECT user_id, item_id, timestamp FROM raw_reviews ORDER BY source_line") == [
        ("AE_2-x", "P1", 1588615855),
        ("U2", "C1", 1588615855),
    ]
    assert rows("SELECT item_id, title FROM items ORDER BY ALL") == [
        ("C1", "C1"),
        ("P1", "The Item"),
    ]
    assert counts.untitled == 1


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimited_tables_with_quotes_line_breaks_and_true_lines(delimiter, write, run, rows):
    lines = [
        ["who", "what", "stars", "words", "when", "name"],
        ["u1", "i1", "4", f'"He said{delimiter} ""go"",\nand left"', "2014-02-28", "First"],
        ["u2", "7", "2.5", "Plain", "1393545600000", "Second"],
    ]
    path = write("table.csv", "\ufeff" + "".join(delimiter.join(line) + "\r\n" for line in lines))
    run(path, format="columns", columns=COLUMNS)
    assert [row[:5] + row[6:] for row in rows(ALL)] == [
        ("u1", "i1", 4.0, f'He said{delimiter} "go",\nand left', 1393545600, 2),
        ("u2", "7", 2.5, "Plain", 1393545600, 4),
    ]
    assert rows("SELECT item_id, title FROM items ORDER BY ALL") == [
        ("7", "Second"),
        ("i1", "First"),
    ]


def test_packed_csv(write, run):
    assert (
        run(
            write("t.csv.gz", "who,what,stars,words\nu,i,3,Good\n"),
            format="columns",
            columns=_few(),
        ).reviews
        == 1
    )


def test_without_a_timestamp_there_is_none(write, run, rows):
    run(write("t.csv", "who,what,stars,words\nu,i,3,Good\n"), format="columns", columns=_few())
    assert rows("SELECT timestamp FROM raw_reviews") == [(None,)]


def test_json_lines_through_columns_with_awkward_names(write, run, rows):
    names = {"user": "us/er", "item": "it~em", "rating": 'ra"t', "text": "te xt"}
    path = write("r.jsonl", [{"us/er": "u", "it~em": 5, 'ra"t': "4.0", "te xt": "Good enough"}])
    run(path, format="columns", columns=names)
    assert rows("SELECT user_id, item_id, rating, text FROM raw_reviews") == [
        ("u", "5", 4.0, "Good enough")
    ]


def test_json_lines_with_titles_in_them(write, run, rows):
    path = write(
        "r.jsonl",
        [
            {
                "who": "u",
                "what": "i",
                "stars": 4,
                "words": "Good",
                "when": 1,
                "name": "A Title (DVD)",
            }
        ],
    )
    run(path, format="columns", columns=COLUMNS)
    assert rows("SELECT title, title_original FROM items") == [("A Title", "A Title (DVD)")]


def test_parquet_rows_are_numbered_and_titles_may_stand_in_a_metadata_table(
    tmp_path: Path, write, run, rows
):
    path = tmp_path / "r.parquet"
    pq.write_table(
        pa.table(
            {
                "who": ["u", None],
                "what": [1, 2],
                "stars": [5, 4],
                "words": ["One", "Two"],
                "when": [10.0, 20.0],
            }
        ),
        path,
    )
    counts = run(
        path,
        write("m.csv", "what,name\n1,Uno\n"),
        format="columns",
        columns=COLUMNS,
        max_bad_share=0.5,
    )
    assert [row[:5] + row[6:] for row in rows(ALL)] == [("u", "1", 5.0, "One", 10, 1)]
    assert rows("SELECT item_id, title FROM items") == [("1", "Uno")]
    assert counts.rejected == {"anonymous": 1}


def test_files_of_one_name_are_told_apart(write, run, rows, review):
    run([write("a/r.json", [review()]), write("b/r.json", [review(asin="B2")])])
    assert rows("SELECT source_file FROM raw_reviews ORDER BY ALL") == [
        ("a/r.json",),
        ("b/r.json",),
    ]


def test_reviews_and_metadata_of_one_name_are_told_apart(write, run, rows, review):
    run(
        write("reviews/r.json", [review()]),
        write("metadata/r.json", [{"asin": "B1", "title": "One"}, "{"]),
        max_bad_share=0.5,
    )
    assert rows("SELECT source_file FROM raw_reviews") == [("reviews/r.json",)]
    assert rows("SELECT source_file FROM rejected_rows") == [("metadata/r.json",)]


def test_one_table_may_hold_reviews_and_titles(write, run, rows):
    path = write("t.csv", "who,what,stars,words,when,name\nu,i,3,Good,1,A Title\n")
    run(path, path, format="columns", columns=COLUMNS)
    assert rows("SELECT title FROM items") == [("A Title",)]


def test_a_file_listed_twice_is_a_mistake(write, run, review):
    path = write("r.json", [review()])
    with pytest.raises(UserError, match="listed twice"):
        run([path, path])


def test_ingest_twice_gives_the_same_ids_and_nothing_twice(write, run, rows, review):
    path = write("r.json", [review(), review(asin="B2")])
    run(path)
    first = rows("SELECT review_id FROM raw_reviews ORDER BY ALL")
    run(path)
    assert rows("SELECT review_id FROM raw_reviews ORDER BY ALL") == first
    assert all(len(row[0]) == 16 and int(row[0], 16) >= 0 for row in first)


def test_ids_hang_on_content_alone(con: duckdb.DuckDBPyConnection, write, run, rows, review):
    run(write("one.json", [review(), review(asin="B2")]))
    first = rows("SELECT review_id FROM raw_reviews WHERE item_id = 'B2'")
    run(
        write("two.csv", "who,what,stars,words,when,name\nA1,B2,5,It works well.,1393545600,x\n"),
        format="columns",
        columns=COLUMNS,
    )
    assert rows("SELECT review_id FROM raw_reviews") == first
    run(write("three.json", [review(asin="B2", reviewText="It works well!")]))
    assert rows("SELECT review_id FROM raw_reviews") != first


def _few() -> dict[str, str]:
    return {key: COLUMNS[key] for key in ("user", "item", "rating", "text")}


def test_files_with_byte_order_marks_that_were_joined(write, run, rows, review):
    lines = b"".join(
        b"\xef\xbb\xbf" + json.dumps(review(asin=asin)).encode() + b"\n" for asin in ("B1", "B2")
    )
    assert run(write("r.json", lines)).rejected == {}
    assert rows("SELECT item_id FROM raw_reviews ORDER BY ALL") == [("B1",), ("B2",)]
