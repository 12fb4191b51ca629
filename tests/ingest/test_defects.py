"""Every kind of unusable line is counted, kept with its true line number, and never fatal below the limit."""

from __future__ import annotations

import json

import pytest

from tasks.errors import UserError
from tasks.ingest.lines import MAX_LINE

REJECTS = "SELECT source_line, kind FROM rejected_rows ORDER BY source_line"


def good(number: int) -> bytes:
    return json.dumps(
        {
            "reviewerID": f"G{number}",
            "asin": "B",
            "overall": 4.0,
            "reviewText": "Good.",
            "unixReviewTime": 1,
        }
    ).encode()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"reviewerID": "A", "asin":', "broken_line"),
        (b"nonsense", "broken_line"),
        (b"[1, 2]", "not_object"),
        (b'"text"', "not_object"),
        (b"17", "not_object"),
        (b"null", "not_object"),
        (b'{"asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1}', "missing_field"),
        (
            b'{"reviewerID":null,"asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1}',
            "anonymous",
        ),
        (
            b'{"reviewerID":"  ","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1}',
            "anonymous",
        ),
        (
            b'{"reviewerID":"Unknown","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1393545600}',
            "anonymous",
        ),
        (
            b'{"reviewerID":"nan","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1393545600}',
            "anonymous",
        ),
        (
            b'{"reviewerID":"A Customer","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1393545600}',
            "anonymous",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":null}',
            "undated",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":-1}',
            "undated",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":"Posted July 15."}',
            "undated",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":"2014"}',
            "bad_timestamp",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":2014}',
            "bad_timestamp",
        ),
        (
            b'{"reviewerID":true,"asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1}',
            "bad_id",
        ),
        (
            b'{"reviewerID":["A"],"asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1}',
            "bad_id",
        ),
        (b'{"reviewerID":"A","asin":"B","reviewText":"x","unixReviewTime":1}', "missing_field"),
        (b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x"}', "missing_field"),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":12,"unixReviewTime":1}',
            "missing_field",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":{"a":1},"unixReviewTime":1}',
            "missing_field",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":false,"unixReviewTime":1}',
            "missing_field",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":"five","reviewText":"x","unixReviewTime":1}',
            "bad_rating",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":true,"reviewText":"x","unixReviewTime":1}',
            "bad_rating",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":NaN,"reviewText":"x","unixReviewTime":1}',
            "missing_field",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":Infinity,"reviewText":"x","unixReviewTime":1}',
            "bad_rating",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.5,"reviewText":"x","unixReviewTime":1}',
            "off_scale",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":0,"reviewText":"x","unixReviewTime":1}',
            "off_scale",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":"soon"}',
            "bad_timestamp",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"x","unixReviewTime":1e40}',
            "bad_timestamp",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"\xff\xfe","unixReviewTime":1}',
            "bad_encoding",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"\\ud83d","unixReviewTime":1}',
            "bad_encoding",
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":" \\n","unixReviewTime":1}',
            "empty_text",
        ),
        (b'{"reviewerID":"A","asin":"B","overall":5.0,"unixReviewTime":1}', "empty_text"),
        (
            b'{"reviewerID":"A","asin":"B","overall":5.0,"reviewText":"\\u0000","unixReviewTime":1}',
            "empty_text",
        ),
        (
            b'{"reviewerID":"G1","asin":"B","overall":1.0,"reviewText":"again","unixReviewTime":9}',
            "duplicate",
        ),
        (b"[" * 100_000, "broken_line"),
    ],
)
def test_each_kind_is_kept_with_its_line(line, kind, write, run, rows):
    counts = run(
        write("r.json", b"\n".join([good(1), b"", line, good(2)]) + b"\n"), max_bad_share=0.5
    )
    assert rows(REJECTS) == [(3, kind)]
    assert counts.rejected == {kind: 1}
    assert counts.lines == 3
    assert rows("SELECT user_id, source_line, text FROM raw_reviews ORDER BY source_line") == [
        ("G1", 1, "Good."),
        ("G2", 4, "Good."),
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            b'{"reviewerID":77,"asin":8,"overall":"4","reviewText":"x","unixReviewTime":"5"}',
            ("77", "8", 4.0, "x", 5),
        ),
        (
            b'{"reviewerID":77.0,"asin":"B","overall":4,"reviewText":"x","unixReviewTime":5.9}',
            ("77", "B", 4.0, "x", 5),
        ),
        (
            b'\t{"reviewerID":" A ","asin":"B\\u0000","overall":4.0,"reviewText":"a\\u0000b","unixReviewTime":5} \r',
            ("A", "B", 4.0, "a b", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"tab\there","unixReviewTime":5}',
            ("A", "B", 4.0, "tab\there", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"a\\u0007\\u007fb","unixReviewTime":5}',
            ("A", "B", 4.0, "a  b", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"a\x00b","unixReviewTime":5}',
            ("A", "B", 4.0, "a b", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":" caf\xc3\xa9 \\ud83d\\ude00","unixReviewTime":5}',
            ("A", "B", 4.0, " café 😀", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"10","unixReviewTime":5}',
            ("A", "B", 4.0, "10", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"true","unixReviewTime":5}',
            ("A", "B", 4.0, "true", 5),
        ),
        (
            b'{"reviewerID":"A B\'s","asin":"B","overall":4.0,"reviewText":"[sic]","unixReviewTime":5}',
            ("A B's", "B", 4.0, "[sic]", 5),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"x","unixReviewTime":"2014-02-28T00:00:00Z"}',
            ("A", "B", 4.0, "x", 1393545600),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"x","unixReviewTime":-86400}',
            ("A", "B", 4.0, "x", -86400),
        ),
        (
            b'{"reviewerID":"A","asin":"B","overall":4.0,"reviewText":"x","unixReviewTime":5,"n":'
            + b"9" * 400
            + b"}",
            ("A", "B", 4.0, "x", 5),
        ),
    ],
)
def test_odd_but_usable_lines_are_put_right(line, found, write, run, rows):
    counts = run(write("r.json", line + b"\n"))
    assert rows("SELECT user_id, item_id, rating, text, timestamp FROM raw_reviews") == [found]
    assert counts.rejected == {}


def test_byte_order_mark_windows_line_ends_blank_lines_and_no_last_line_feed(write, run, rows):
    counts = run(
        write("r.json", b"\xef\xbb\xbf" + good(1) + b"\r\n\r\n  \n" + good(2) + b"\r\n" + good(3))
    )
    assert rows("SELECT user_id, source_line FROM raw_reviews ORDER BY ALL") == [
        ("G1", 1),
        ("G2", 4),
        ("G3", 5),
    ]
    assert counts.lines == 3


def test_over_long_lines_are_passed_by_and_the_numbering_holds(write, run, rows):
    long = b'{"reviewText": "' + b"x" * MAX_LINE * 2 + b'"}'
    path = write("r.json.gz", b"\n".join([good(1), long, good(2), long, good(3), long]))
    counts = run(path, max_bad_share=0.6)
    assert rows(REJECTS) == [(2, "over_long"), (4, "over_long"), (6, "over_long")]
    assert rows("SELECT user_id, source_line FROM raw_reviews ORDER BY ALL") == [
        ("G1", 1),
        ("G2", 3),
        ("G3", 5),
    ]
    assert counts.lines == 6


def test_lines_are_numbered_over_many_blocks(write, run, rows):
    lines = [good(number) if number % 1000 else b"{broken" for number in range(1, 30_001)]
    run(write("r.json.gz", b"\n".join(lines)))
    assert rows("SELECT count(*) FROM raw_reviews WHERE user_id <> 'G' || source_line") == [(0,)]
    assert rows("SELECT source_line FROM rejected_rows ORDER BY ALL") == [
        (number,) for number in range(1000, 30_001, 1000)
    ]


def test_the_first_of_each_user_and_item_stays_in_source_order_over_files(write, run, rows, review):
    first = write(
        "z.json", [review(reviewText="one"), review(reviewText="two"), review(reviewerID="A2")]
    )
    second = write("a.json", [review(reviewText="three"), review(reviewerID="A3")])
    counts = run([first, second])
    assert rows("SELECT user_id, text FROM raw_reviews ORDER BY ALL") == [
        ("A1", "one"),
        ("A2", "It works well."),
        ("A3", "It works well."),
    ]
    assert rows("FROM rejected_rows ORDER BY ALL") == [
        ("a.json", 1, "duplicate", "the first is in z.json, line 1"),
        ("z.json", 2, "duplicate", "the first is in z.json, line 1"),
    ]
    assert (counts.lines, counts.reviews, counts.rejected, counts.bad_share) == (
        5,
        3,
        {"duplicate": 2},
        0.0,
    )


def test_duplicates_and_empty_texts_speak_not_against_a_file(write, run, review):
    counts = run(
        write("r.json", [review(), review(), review(asin="B2", reviewText="")]), max_bad_share=0.0
    )
    assert counts.rejected == {"duplicate": 1, "empty_text": 1}


def test_too_many_bad_lines_are_fatal_with_the_counts(write, run, review):
    lines = [review(asin=f"B{number}") for number in range(98)] + ["{", review(asin="C", overall=9)]
    with pytest.raises(
        UserError,
        match=r"2 of 100 .*max_bad_share 0.01: 1 broken_line, the first is line 99 .*; 1 off_scale, the first is line 100",
    ):
        run(write("r.json", lines))
    assert run(write("r.json", lines), max_bad_share=0.02).bad_share == 0.02


def test_csv_rows_of_another_length_and_bad_bytes(write, run, rows):
    content = b"u,i,r,t\na,1,5,ok\nb,2,5\nc,3,5,x,y\nd,4,5,\xff\xfe\ne,5,5,fine\n"
    columns = {"user": "u", "item": "i", "rating": "r", "text": "t"}
    run(write("r.csv", content), format="columns", columns=columns, max_bad_share=1.0)
    assert rows(REJECTS) == [(3, "broken_line"), (4, "broken_line"), (5, "bad_encoding")]
    assert rows("SELECT user_id, source_line FROM raw_reviews ORDER BY ALL") == [("a", 2), ("e", 6)]


def test_metadata_defects_are_kept_and_held_against_that_file(write, run, rows, review):
    reviews = write("r.json", [review()])
    metadata = write(
        "m.json",
        [{"asin": "B1", "title": "One"}, {"title": "no id"}, "{'asin': 'B1', 'title': }", "[]"],
    )
    counts = run(reviews, metadata, max_bad_share=1.0)
    assert counts.metadata_rejected == {"broken_line": 1, "missing_field": 1, "not_object": 1}
    assert rows("SELECT source_file, source_line, kind FROM rejected_rows ORDER BY ALL") == [
        ("m.json", 2, "missing_field"),
        ("m.json", 3, "broken_line"),
        ("m.json", 4, "not_object"),
    ]
    with pytest.raises(UserError, match="m.json: 3 of 4 lines are unusable"):
        run(reviews, metadata)


def test_no_review_text_is_kept_with_a_reject(write, run, rows, review):
    run(write("r.json", [review(), review(asin="B2", overall="a secret")]), max_bad_share=1.0)
    assert "secret" not in rows("SELECT detail FROM rejected_rows")[0][0]


def test_an_open_quote_costs_its_own_row_only(write, run, rows):
    content = (
        'u,i,r,t\na,1,5,fine\nb,2,5,"open\n'
        + "".join(f"c{number},3,5,fine\n" for number in range(300))
        + 'd,4,5,"also open\ne,5,5,fine\n'
    )
    columns = {"user": "u", "item": "i", "rating": "r", "text": "t"}
    counts = run(write("r.csv", content), format="columns", columns=columns, max_bad_share=1.0)
    assert rows(REJECTS) == [(3, "broken_line"), (304, "broken_line")]
    assert rows("SELECT count(*), min(source_line), max(source_line) FROM raw_reviews") == [
        (302, 2, 305)
    ]
    assert counts.lines == 304


def test_blank_and_over_long_lines_of_a_table(write, run, rows):
    content = "\n\nu,i,r,t\n\na,1,5,fine\n  \nb,2,5," + "x" * MAX_LINE + '\nc,3,5,"two\nlines"\n'
    columns = {"user": "u", "item": "i", "rating": "r", "text": "t"}
    run(write("r.csv", content), format="columns", columns=columns, max_bad_share=1.0)
    assert rows(REJECTS) == [(7, "over_long")]
    assert rows("SELECT user_id, source_line FROM raw_reviews ORDER BY ALL") == [("a", 5), ("c", 8)]
