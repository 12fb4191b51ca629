"""Collections with the oddities they are published with: what is meant is read, and what cannot be read says how it can be."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tasks.errors import UserError

FOUND = "SELECT user_id, item_id, rating, text FROM raw_reviews ORDER BY source_line"
TITLES = "SELECT item_id, title FROM items ORDER BY ALL"
REJECTS = "SELECT source_line, kind FROM rejected_rows ORDER BY ALL"
PLAIN = {"user": "u", "item": "i", "rating": "r", "text": "t"}


def lines(**ratings: object) -> list[dict[str, object]]:
    return [
        {"u": user, "i": "1", "r": rating, "t": "Some words."} for user, rating in ratings.items()
    ]


def test_goodreads_zero_is_no_rating_where_the_domain_says_so(write, run, rows):
    reviews = write("r.json", lines(a=5, b=0, c=0.0, d="0", e=None, f="n/a"))
    counts = run(
        reviews,
        format="columns",
        columns={**PLAIN, "unrated": [0, None, "N/A"]},
        rating_scale=(0, 5),
    )
    assert rows(FOUND) == [("a", "1", 5.0, "Some words.")]
    assert (counts.rejected, counts.bad_share) == ({"unrated": 5}, 0.0)
    with pytest.raises(
        UserError,
        match=r"4 of 6 lines .*3 off_scale, the first is line 2 \('0' is outside 1 to 5\).*1 missing_field.*`unrated: \[null\]`",
    ):
        run(reviews, format="columns", columns={**PLAIN, "unrated": ["n/a"]})


def test_numbers_may_stand_for_other_ratings(write, run, rows):
    run(
        write("r.json", lines(a=1, b=0, c="1.0", d=-1)),
        format="columns",
        columns={**PLAIN, "rating_values": {1: 5, 0: 1, -1: 1}},
    )
    assert rows(FOUND) == [
        (user, "1", stars, "Some words.")
        for user, stars in (("a", 5.0), ("b", 1.0), ("c", 5.0), ("d", 1.0))
    ]


@pytest.mark.parametrize(
    ("written", "scale", "stars"),
    [("4/5", (1, 5), 4), ("3.5 / 5", (1, 5), 3.5), ("13/20", (1, 20), 13),
     ("4.0 out of 5 stars", (1, 5), 4), ("Rated 4,5 out of 5", (1, 5), 4.5),
     ("5 stars", (1, 5), 5), ("1 Star", (1, 5), 1), ("85%", (0, 100), 85),
     ("3/4", (1, 5), 3.75), ("7/10", (1, 5), 3.5), ("90%", (1, 5), 4.5), ("80/100", (1, 5), 4), ("0/10", (1, 5), 1), ("1/10", (1, 5), 1),
     ("7/10", (-1, 1), 0.4), ("3/4", (1, 10), 7.5)],
)  # fmt: skip
def test_ratings_out_of_a_number(written, scale, stars, write, run, rows):
    cut = {"preprocess": {"like_min": 0.75 * scale[1], "dislike_max": 0.25 * scale[1]}}
    run(
        write("r.csv", f'u,i,r,t\na,1,"{written}",Some words.\n'),
        format="columns",
        columns=PLAIN,
        rating_scale=scale,
        **cut,
    )
    assert rows(FOUND) == [("a", "1", stars, "Some words.")]


def test_each_of_the_largest_kinds_comes_with_an_example_and_its_way_out(write, run, rows):
    ratings = [*(["", " "] * 20), *("ABC" * 10), *(["9"] * 20), *(["12/10"] * 5), *(["4"] * 25)]
    content = (
        "u,i,r,t,d\n"
        + "".join(f"u{number},1,{rating},x,2014-02-28\n" for number, rating in enumerate(ratings))
        + "v,1,4,x,soon\n"
    )
    with pytest.raises(UserError) as failed:
        run(write("r.csv", content), format="columns", columns={**PLAIN, "timestamp": "d"})
    said = str(failed.value)
    assert said.startswith(
        "r.csv: 96 of 121 lines are unusable, more than max_bad_share 0.01: 40 missing_field, the first is line 2 (rating)"
    )
    assert "`unrated: [null]` under columns" in said
    assert (
        "30 bad_rating, the first is line 42 (not a finite number: 'A'): set `columns.rating_values`"
        in said
    )
    assert "25 off_scale, the first is line 72 ('9' is outside 1 to 5): set `rating_scale`" in said
    assert (
        "1 of other kinds; or raise max_bad_share. `redial rejected test` lists these lines" in said
    )


def test_amazon_2014_may_have_the_day_alone_and_2023_an_empty_parent(write, run, rows, review):
    run(
        write(
            "a.json",
            [
                review(unixReviewTime=None, reviewTime="09 13, 2009"),
                review(asin="B2", unixReviewTime="1252800000"),
            ],
        )
    )
    assert rows("SELECT timestamp FROM raw_reviews") == [(1_252_800_000,)] * 2
    line = {
        "user_id": "U",
        "asin": "C1",
        "parent_asin": "",
        "rating": 5,
        "text": "Fine.",
        "timestamp": 1588687728923,
    }
    run(write("b.json", [line]), format="amazon_2023")
    assert rows(FOUND) == [("U", "C1", 5.0, "Fine.")]


def test_what_pandas_writes_for_nothing_is_nothing(write, run, rows, review):
    reviews = write(
        "r.json",
        [
            review(),
            '{"reviewerID":"B","asin":"B1","overall":5,"reviewText":NaN,"unixReviewTime":1393545600}',
        ],
    )
    listed = {"asin": "B1", "title": ["A List", "of titles"]}
    metadata = write(
        "m.json", ['{"asin":"B1","title":NaN}', listed, {"asin": "B1", "title": "Late"}]
    )
    counts = run(reviews, metadata, format="amazon_2018")
    assert counts.rejected == {"empty_text": 1}
    assert rows(TITLES) == [("B1", "A List")]


def test_ids_that_were_numbers_once_meet_those_that_are_still(write, run, rows):
    reviews = write("r.csv", "u,i,r,t\n123.0,45.0,5,aa\n123,46,5,bb\n1.01463E+20,45,5,cc\n")
    counts = run(
        reviews,
        write("m.csv", "i,title\n45,Forty-five\n46.0,Forty-six\n"),
        format="columns",
        columns=PLAIN,
        max_bad_share=0.5,
    )
    assert rows(FOUND) == [("123", "45", 5.0, "aa"), ("123", "46", 5.0, "bb")]
    assert rows(TITLES) == [("45", "Forty-five"), ("46", "Forty-six")]
    assert counts.rejected == {"bad_id": 1}
    run(
        write("r.json", [*lines(a=5), {"u": 1.5e17, "i": 1, "r": 5, "t": "x"}]),
        format="columns",
        columns=PLAIN,
        max_bad_share=0.5,
    )
    assert rows("SELECT kind, detail FROM rejected_rows") == [
        ("bad_id", "user is a number whose last digits are lost")
    ]


def test_tabs_between_fields_in_which_quotes_are_signs(write, run, rows):
    content = (
        'u\ti\tr\tt\na\t1\t5\t"Great" he said\nb\t1\t4\tA 12" one\nc\t1\t4\t"open\nd\t1\t4\t"quoted ""well"""\n'
        'e\t1\t4\t"two\nlines"\nf\t1\t4\tclosed"\n'
    )
    counts = run(write("r.tsv", content), format="columns", columns=PLAIN)
    assert rows("SELECT user_id, text, source_line FROM raw_reviews ORDER BY source_line") == [
        ("a", '"Great" he said', 2), ("b", 'A 12" one', 3), ("c", '"open', 4), ("d", 'quoted "well"', 5), ("e", "two\nlines", 6),
        ("f", 'closed"', 8),
    ]  # fmt: skip
    assert (counts.lines, counts.rejected) == (6, {})


BLOCKS = """product/productId: B001
review/userId: A1
review/profileName: Jo, the "reader"
review/score: 5.0
review/time: 1303862400
review/text: Good: and
it goes on.

product/productId: B002
review/userId: A2
review/score: high
review/time: 1303862400
review/text: Bad.
"""
SNAP = {
    "user": "review/userId",
    "item": "product/productId",
    "rating": "review/score",
    "text": "review/text",
    "timestamp": "review/time",
}


def test_snaps_blocks_of_keys_and_values(write, run, rows):
    path = write(
        "finefoods.txt.gz", BLOCKS.encode() + b"\n\nproduct/productId: B003\nreview/text: caf\xe9\n"
    )
    counts = run(path, format="columns", columns=SNAP, max_bad_share=0.7)
    assert rows(FOUND) == [("A1", "B001", 5.0, "Good: and\nit goes on.")]
    assert rows(REJECTS) == [(9, "bad_rating"), (16, "missing_field")]
    assert counts.lines == 3
    with pytest.raises(
        UserError, match="has no column u, i, r, t; it has: product/productId, review/userId"
    ):
        run(path, format="columns", columns=PLAIN)


def test_frames_without_content_as_parallel_packers_write_them(run, rows, review, tmp_path: Path):
    pack = zstandard.ZstdCompressor().compress
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00size"
    packed = [
        skipped + pack(json.dumps(review(asin=asin)).encode() + b"\n") for asin in ("B1", "B2")
    ]
    (tmp_path / "r.json.zst").write_bytes(b"".join(packed))
    run(tmp_path / "r.json.zst")
    assert rows("SELECT item_id FROM raw_reviews ORDER BY ALL") == [("B1",), ("B2",)]


@pytest.mark.parametrize(
    ("content", "item", "text"),
    [
        ("sep=;\nu;i;r;t\na;1;5;fine\n", "1", "fine"),
        ('u, i, r, t\na, 1, 5, "hello, you"\n', "1", "hello, you"),
    ],
)
def test_tables_as_spreadsheets_and_people_write_them(content, item, text, write, run, rows):
    run(write("r.csv", content), format="columns", columns=PLAIN)
    assert rows(FOUND) == [("a", item, 5.0, text)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "r.csv",
            "A3AF8,0000000078,5.0,1092182400\n",
            "its first line must name the columns.*it reads: A3AF8, 0000000078",
        ),
        (
            "r.dat",
            "1::1193::5::978300760\n",
            "separated by commas, tabs, semicolons or bars; it reads: 1::1193",
        ),
        ("r.csv", "U,I,R,T\na,b,5,x\n", r"did you mean U for u, I for i, R for r, T for t\?"),
        ("r.csv", "u,i,r,Täxt\n".encode("cp1252"), "has no column t; it has: u, i, r, Täxt"),
        (
            "r.csv",
            b"u,i,r,t\xff\x81\n",
            "is not UTF-8: set `sources.encoding` to its encoding",
        ),
        (
            "r.json",
            '{"u": "a", "reviews": [{"i": 1, "r": 5, "t": "x"}]}\n',
            r"jq -c '\. \+ \.reviews\[\] \| del\(\.reviews\)'",
        ),
        (
            "r.json",
            '{"u": {"0": "a"}, "i": {"0": 1}, "r": {"0": 5}, "t": {"0": "x"}}\n',
            "orient='records', lines=True",
        ),
        (
            "r.json",
            '{"user": "a", "i": 1, "r": 5, "t": "x"}\n',
            r"no field for user \(u\); .*set their names under `columns`",
        ),
    ],
)
def test_names_that_are_not_there_come_with_those_that_are_meant(name, content, words, write, run):
    with pytest.raises(UserError, match=words):
        run(write(name, content), format="columns", columns=PLAIN)


@pytest.mark.parametrize(
    ("asked", "given"), [("amazon_2014", "amazon_2023"), ("amazon_2023", "amazon_2014")]
)
def test_another_edition_of_amazons_is_named(asked, given, write, run, review):
    of_2023 = {
        "user_id": "U",
        "asin": "C1",
        "parent_asin": "P",
        "rating": 5,
        "text": "Fine.",
        "timestamp": 1588687728923,
    }
    with pytest.raises(UserError, match=rf"has no field for user .*\(as format {given} has\)"):
        run(write("r.json", [of_2023 if given == "amazon_2023" else review()]), format=asked)


def test_lists_in_parquet_are_named(tmp_path: Path, run):
    pq.write_table(
        pa.table({"all": [[{"u": "a", "i": "b", "r": 5, "t": "x"}]]}), tmp_path / "r.parquet"
    )
    with pytest.raises(
        UserError, match="all holds lists: each of their entries must be a row of its own"
    ):
        run(
            tmp_path / "r.parquet",
            format="columns",
            columns={key: f"all.{name}" for key, name in PLAIN.items()},
        )


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"r.json".ljust(257, b"\0") + b"ustar\x0000", "is a tar archive: extract the file"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
        (b"\n<!DOCTYPE HTML>\n<html>", "is a web page, as servers send in place of a file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
        (b"SQLite format 3\0", "is an SQLite database: export it as CSV or Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook"),
        (b"\x80\x04\x95\x10", "is a Python pickle"),
        (b"ARROW1\0\0", "write it as Parquet"),
        (b"\0" * 8 + b"DUCK", "is not text"),
    ],
)
def test_files_of_other_kinds_say_what_they_are(head, words, tmp_path: Path, run):
    (tmp_path / "r.csv").write_bytes(head + b"\n")
    with pytest.raises(UserError, match=words):
        run(tmp_path / "r.csv", format="columns", columns=PLAIN)


def test_metadata_of_other_items_or_without_titles_is_told(write, run, review):
    reviews = write("r.json", [review()])
    with pytest.raises(UserError, match="m.json names none of the 1 items reviewed, such as 'B1'"):
        run(reviews, write("m.json", [{"asin": "Z", "title": "Zed"}]))
    with pytest.raises(
        UserError, match="m.json names 1 of the 1 items reviewed and has a title for none"
    ):
        run(reviews, write("m.json", [{"asin": "B1", "name": "One"}]))


def test_a_share_that_is_just_reached_is_let_pass(write, run, review):
    reviews = [review(asin=f"B{number}", overall=9 if number < 29 else 5) for number in range(100)]
    assert run(write("r.json", reviews), max_bad_share=0.29).bad_share == 0.29
    with pytest.raises(UserError, match="29 of 100 lines"):
        run(write("r.json", reviews), max_bad_share=0.28)
