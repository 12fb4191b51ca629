"""Single values, however a source writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from tasks.ingest.defects import Defect
from tasks.ingest.field_values import parse_id, parse_rating, parse_time, parse_title

DAY = 1_393_545_600  # 28 February 2014, midnight UTC


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        (DAY, DAY), (DAY + 0.9, DAY), (str(DAY), DAY), (DAY * 10**3, DAY), (DAY * 10**6, DAY), (DAY * 10**9, DAY), (Decimal(DAY), DAY),
        (-86_400, -86_400), (0, 0), (20140228, DAY), ("20140228", DAY), (20140228.0, DAY),
        ("2014-02-28", DAY), ("2014-02-28 10:00:00", DAY + 36_000), ("2014-02-28T10:00:00.5Z", DAY + 36_000),
        ("2014-02-28T10:00:00+02:00", DAY + 28_800), ("2014-02-28 10:00:00 UTC", DAY + 36_000),
        ("28.02.2014", DAY), ("28.02.2014 10:00", DAY + 36_000), ("2014.02.28", DAY), ("Fri, 28 Feb 2014 00:00:00 GMT", DAY),
        ("02 28, 2014", DAY), ("Feb 28, 2014", DAY), ("February 28, 2014", DAY), ("28 February 2014", DAY), ("2014/02/28", DAY),
        ("Fri Aug 25 13:55:02 -0700 2017", 1_503_694_502), (" 18 July 2005 ", 1_121_644_800),
        (datetime(2014, 2, 28), DAY), (datetime(2014, 2, 28, tzinfo=timezone(timedelta(hours=-5))), DAY + 18_000), (date(2014, 2, 28), DAY),
    ],
)  # fmt: skip
def test_moments(written, moment):
    assert parse_time(written) == moment


@pytest.mark.parametrize(
    "written",
    [
        "soon",
        "28/02/2014",
        "2014-02-30",
        20141399,
        "2014-02",
        True,
        [DAY],
        1e40,
        "NaN",
        "13 28, 2014",
    ],
)
def test_what_is_no_moment(written):
    with pytest.raises(Defect) as found:
        parse_time(written)
    assert found.value.kind == "bad_timestamp"


@pytest.mark.parametrize(
    ("text", "written", "moment"),
    [
        ("28/02/2014", "%d/%m/%Y", DAY),
        ("Posted November 5, 2011.", "Posted %B %d, %Y.", 1_320_451_200),
        ("140228", "%y%m%d", DAY),
    ],
)
def test_moments_in_a_format_of_their_own(text, written, moment):
    assert parse_time(text, written) == moment
    with pytest.raises(Defect, match="bad_timestamp"):
        parse_time("2014-02-28T00", written)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (4, 4.0),
        ("4.0", 4.0),
        (" 4 ", 4.0),
        ("4,5", 4.5),
        (Decimal("4.5"), 4.5),
        (b"4", 4.0),
        (True, 5.0),
        ("Recommended", 5.0),
        ("NO", 1.0),
    ],
)
def test_ratings(written, found):
    assert parse_rating(written, (1, 5), {"true": 5.0, "recommended": 5.0, "no": 1.0}) == found


@pytest.mark.parametrize(
    ("written", "kind"),
    [(True, "bad_rating"), ("12/10", "off_scale"), ("190%", "off_scale"), ("3/0", "bad_rating"),
     ([4], "bad_rating"), ("", "missing_field"), ("7", "off_scale"),
     ("4,000", "bad_rating"), (float("nan"), "missing_field")],
)  # fmt: skip
def test_what_is_no_rating(written, kind):
    with pytest.raises(Defect) as found:
        parse_rating(written, (1, 5), {})
    assert found.value.kind == kind


@pytest.mark.parametrize(
    ("written", "found"),
    [(7, "7"), (7.0, "7"), (Decimal("7"), "7"), ("007", "007"), (b"u1", "u1"), (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
     (" a\x00b ", "a b"), ("x" * 400, "x" * 400)],
)  # fmt: skip
def test_ids(written, found):
    assert parse_id(written, "user") == found


@pytest.mark.parametrize(
    ("written", "kind"),
    [(None, "missing_field"), (" ", "missing_field"), (True, "bad_id"), (["a"], "bad_id"), (7.5, "bad_id"), (float("inf"), "bad_id"),
     ("x" * 401, "bad_id"), (b"\xff", "bad_encoding")],
)  # fmt: skip
def test_what_is_no_id(written, kind):
    with pytest.raises(Defect) as found:
        parse_id(written, "user")
    assert found.value.kind == kind


def test_titles_may_be_numbers_and_never_half_a_sign():
    assert [parse_title(value) for value in ("Up", 300, b"Am\xc3\xa9lie", "a\ud83d", True, None, ["Up"], [], 1.5)] == [
        "Up", "300", "Amélie", "a", "", "", "Up", "", "",
    ]  # fmt: skip
