"""Reviews by nobody in particular, and of no day, are set aside and counted, not held against the file, and never one user."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tasks.errors import UserError
from tasks.settings import Sources

PLAIN = {"user": "u", "item": "i", "rating": "r", "text": "t"}
USERS = "SELECT DISTINCT user_id FROM raw_reviews ORDER BY ALL"
KINDS = "SELECT source_line, kind, detail FROM rejected_rows ORDER BY source_line"
SNAP = {
    "user": "review/userId",
    "item": "product/productId",
    "rating": "review/score",
    "text": "review/text",
    "timestamp": "review/time",
}


def test_a_snap_file_of_which_a_fifth_is_by_nobody(write, run, rows):
    blocks = "".join(
        f"product/productId: B{number}\nreview/userId: {'unknown' if number % 5 == 0 else f'A{number}'}\nreview/score: 4.0\n"
        f"review/time: 1042070400\nreview/text: Fine.\n\n"
        for number in range(50)
    )
    counts = run(write("r.txt", blocks), format="columns", columns=SNAP, max_bad_share=0.0)
    assert (counts.lines, counts.reviews, counts.rejected, counts.bad_share) == (
        50,
        40,
        {"anonymous": 10},
        0.0,
    )
    assert ("unknown",) not in rows(USERS)


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize(
    "user",
    [
        "None",
        "nan",
        "NaN",
        "null",
        "N/A",
        "A Customer",
        "Kindle Customer",
        "[deleted]",
        "Anonymous",
        "  ",
    ],
)
def test_what_sites_and_programs_write_for_nobody(user, kind, write, run, rows, review):
    if kind == "json":
        counts = run(write("r.json", [review(), review(reviewerID=user)]))
    else:
        counts = run(
            write("r.csv", f"u,i,r,t\nA1,1,5,Fine.\n{user},1,5,Fine.\n"),
            format="columns",
            columns=PLAIN,
        )
    assert (counts.reviews, counts.rejected, counts.bad_share) == (1, {"anonymous": 1}, 0.0)
    assert rows(USERS) == [("A1",)]


def test_the_domain_says_who_stands_for_nobody(con, write, run, rows):
    path = write("r.csv", "u,i,r,t\nguest,1,5,Fine.\n0,1,5,Fine.\nunknown,1,5,Fine.\nu,1,5,Fine.\n")
    counts = run(path, format="columns", columns=PLAIN, anonymous=["Guest", 0])
    assert counts.rejected == {"anonymous": 2}
    assert rows(USERS) == [("u",), ("unknown",)]
    assert Sources.model_validate(
        {"format": "amazon_2014", "reviews": ["r"], "anonymous": ["", 0.0, None]}
    ).anonymous == (None, "0", None)
    with pytest.raises(UserError, match=r"1 missing_field, the first is line 2 \(user\)"):
        run(
            write("r.csv", "u,i,r,t\n,1,5,Fine.\n"),
            format="columns",
            columns=PLAIN,
            anonymous=["guest"],
        )


def test_a_file_by_nobody_says_where_its_users_should_be(write, run):
    with pytest.raises(
        UserError,
        match=r"no usable review in 1 lines \(1 anonymous\): check that the format, or columns, names the field",
    ):
        run(write("r.csv", "u,i,r,t\n,1,5,Fine.\n"), format="columns", columns=PLAIN)


def test_a_field_that_is_not_there_is_missing_and_not_nobody(write, run, review):
    assert run(
        write("r.json", [review(), review(reviewerID=None)]), max_bad_share=0.5
    ).rejected == {"missing_field": 1}


def test_reviews_of_no_day(write, run, rows):
    days = ["-1", "", "Posted July 15.", "15 July", "NaN"]
    content = "u,i,r,t,d\na,1,5,Fine.,2014-02-28\n" + "".join(
        f"b{number},1,5,Fine.,{day}\n" for number, day in enumerate(days)
    )
    counts = run(
        write("r.csv", content),
        format="columns",
        columns={**PLAIN, "timestamp": "d"},
        undated=[None, -1, "nan"],
    )
    assert (counts.reviews, counts.rejected, counts.bad_share) == (1, {"undated": 5}, 0.0)
    assert rows(KINDS)[0] == (3, "undated", "'-1'")
    posted = write(
        "r.csv", 'u,i,r,t,d\na,1,5,Fine.,"Posted November 5, 2011."\nb,1,5,Fine.,Posted July 15.\n'
    )
    columns = {**PLAIN, "timestamp": "d", "timestamp_format": "Posted %B %d, %Y."}
    assert run(posted, format="columns", columns=columns).rejected == {"undated": 1}


def test_moments_before_1970_are_moments(write, run, rows, review):
    run(write("r.json", [review(unixReviewTime=-86_400)]))
    assert rows("SELECT timestamp FROM raw_reviews") == [(-86_400,)]


@pytest.mark.parametrize(
    ("extra", "kept"),
    [
        ('"overall": 1.0', ("A1", 5.0)),
        ('"reviewerID": "other"', ("A1", 5.0)),
        ('"x": NaN, "overall": 1.0', ("A1", 5.0)),
    ],
)
def test_of_two_values_under_one_key_the_first_counts_on_every_path(extra, kept, write, run, rows):
    line = f'{{"reviewerID": "A1", "asin": "B1", "overall": 5.0, "reviewText": "Fine.", "unixReviewTime": 1400000000, {extra}}}\n'
    slow = line.replace('"Fine."', '"Fi\tne."')
    for written in (line, slow):
        run(write("r.json", written))
        assert rows("SELECT user_id, rating FROM raw_reviews") == [kept]
    columns = {
        "user": "reviewerID",
        "item": "asin",
        "rating": "overall",
        "text": "reviewText",
        "title": "summary",
    }
    run(write("r.json", line), format="columns", columns=columns)
    assert rows("SELECT user_id, rating FROM raw_reviews") == [kept]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ('{"asin": "B1", "title": "One", "title": "Two"}', "One"),
        ("{'asin': 'B1', 'title': 'One', 'title': 'Two'}", "One"),
        (
            "{'title': 'Key order', 'asin': 'B1', 'salesRank': {'Toys': nan}, 'x': [inf, -inf, -1.5, null]}",
            "Key order",
        ),
        (r'{"asin": "B1", "title": "Bad \' escape \\\\"}', "Bad ' escape \\\\"),
        ('{"asin": "B1", "title": \'mixed quotes\'}', "mixed quotes"),
        (r"{u'asin': u'B1', u'title': u'Caf\xe9 \u2014 \ud83d\ude00'}", "Café — 😀"),
        ('{"asin": "B1", "title": "nan"}', None),
        ('{"asin": "B1", "title": "N/A"}', None),
        ('{"asin": "B1", "title": null}', None),
        ('{"asin": "B1", "title": "Unknown"}', "Unknown"),
    ],
)
def test_titles_of_careless_files(line, title, write, run, rows, review):
    metadata = write("m.json", [line, {"asin": "B2", "title": "Other"}])
    run(write("r.json", [review(), review(asin="B2")]), metadata, untitled="drop")
    assert rows("SELECT title FROM items WHERE item_id = 'B1'") == ([(title,)] if title else [])


@pytest.mark.parametrize(
    "line",
    [
        "{'a': open('x')}",
        "{'a': 1 + 1}",
        "{**x}",
        "{'a': f'{1}'}",
        "{'a': unknown}",
        "{[]: 1}",
        "{'a': " + "[" * 5000,
    ],
)
def test_what_is_no_literal_is_not_evaluated(line, write, run, review):
    assert run(write("r.json", [review(), line]), max_bad_share=0.5).rejected == {"broken_line": 1}


def test_the_way_out_of_lists_in_python_literals_works(tmp_path, write, run, rows):
    reviews = "{'item_id': '1', 'recommend': True, 'review': \"It's fine\"}, {'item_id': '2', 'recommend': False, 'review': 'x'}"
    nested = f"{{'user_id': 'p0', 'reviews': [{reviews}]}}\n"
    path = write("steam.json", nested)
    columns = {
        "user": "user_id",
        "item": "item_id",
        "rating": "recommend",
        "text": "review",
        "rating_values": {True: 5, False: 1},
    }
    with pytest.raises(UserError) as failed:
        run(path, format="columns", columns=columns)
    command = (
        str(failed.value)
        .partition("(`")[2]
        .partition("`")[0]
        .replace("FILE", str(path))
        .replace("LINES", str(tmp_path / "flat.jsonl"))
    )
    subprocess.run(command.replace("python3", sys.executable), shell=True, check=True, cwd=tmp_path)
    run(tmp_path / "flat.jsonl", format="columns", columns=columns)
    assert rows("SELECT user_id, item_id, rating, text FROM raw_reviews ORDER BY item_id") == [
        ("p0", "1", 5.0, "It's fine"),
        ("p0", "2", 1.0, "x"),
    ]
