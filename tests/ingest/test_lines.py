"""Blocks of lines: nothing lost, nothing moved, whatever the bytes and however they come."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.ingest import compression, ingest, lines
from tasks.ingest.defects import Defect
from tasks.ingest.formats import field_names
from tasks.ingest.json_lines import parse_line
from tasks.ingest.lines import numbered_blocks
from tasks.ingest.rows import checked_row
from tasks.ingest.source_file import SourceFile
from tasks.settings import Domain, Sources
from tests.support.examples import examples

SOURCES = Sources.model_validate({"format": "amazon_2014", "reviews": ["r.json"]})
NAMES = field_names(SOURCES)
FRESH = settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(
    start=st.sampled_from([b"{}", b"\xef\xbb\xbf{}"]),
    content=st.lists(
        st.binary(max_size=12).map(lambda part: part.replace(b"\n", b"")), max_size=30
    ),
    ended=st.booleans(),
)
@FRESH
def test_blocks_hold_every_line_under_its_number(
    start, content, ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compression, "_CHUNK", 5)
    monkeypatch.setattr(lines, "_BLOCK", 16)
    monkeypatch.setattr(lines, "MAX_LINE", 10)
    data = b"\n".join([start, *content]) + (b"\n" if ended else b"")
    path = tmp_path / "r.json"
    path.write_bytes(data)
    found: dict[int, bytes | None] = {}
    for block in numbered_blocks(SourceFile(path)):
        for number, line in enumerate(block.lines(), block.first):
            assert number not in found
            found[number] = None if number in block.over_long else line
    expected = [b"{}", *content]
    if not ended and not expected[-1]:
        expected.pop()
    assert found == {
        number: line if len(line) <= 10 else None for number, line in enumerate(expected, 1)
    }


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**19),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["", "5", "4.5", "true", "nan", "Unknown", "None", -1, 2014, "B1", "[x", "2014-02-28"]
    ),
)
MOMENTS = [
    "2016-03-09 13:05:00",
    "2016-02-30",
    "1971-01-01",
    "02 28, 2014",
    "2014-02-28T10:00:00+02:00",
    20140228,
    1.4e15,
    1.4e18,
    2.6e14,
]
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=1),
    st.dictionaries(st.text(max_size=2), SCALARS, max_size=1),
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "reviewerID": st.one_of(st.text("AB1_ ", min_size=1, max_size=3), VALUES),
        "asin": st.one_of(st.text("AB1", min_size=1, max_size=3), VALUES),
        "overall": st.one_of(st.sampled_from([1.0, 5, 3.5, "4", "3,5", "4,555"]), VALUES),
        "reviewText": st.one_of(st.text(max_size=20), VALUES),
        "unixReviewTime": st.one_of(
            st.integers(0, 2_000_000_000),
            st.integers(10**11, 2 * 10**12),
            st.sampled_from(MOMENTS),
            VALUES,
        ),
        "reviewTime": st.one_of(st.just("02 28, 2014"), VALUES),
        "other": VALUES,
    },
)
ANCHOR = {
    "reviewerID": "Z",
    "asin": "Z",
    "overall": 5.0,
    "reviewText": "Anchor",
    "unixReviewTime": 1,
}


@given(records=st.lists(RECORDS, max_size=12), escaped=st.booleans())
@FRESH
def test_the_fast_way_finds_what_the_patient_way_finds(records, escaped, tmp_path: Path):
    written = [json.dumps(record, ensure_ascii=escaped) for record in [ANCHOR, *records]]
    path = tmp_path / "r.json"
    path.write_bytes("\n".join(written).encode("utf-8", "surrogatepass"))
    with duckdb.connect() as con:
        ingest(
            con,
            Domain.model_validate(
                {
                    "name": "x",
                    "max_bad_share": 1.0,
                    "sources": {"format": "amazon_2014", "reviews": [str(path)]},
                }
            ),
        )
        kept = con.execute(
            "SELECT source_line, user_id, item_id, rating, text, timestamp FROM raw_reviews ORDER BY ALL"
        ).fetchall()
        rejected = con.execute(
            "SELECT source_line, kind FROM rejected_rows ORDER BY ALL"
        ).fetchall()
    assert (kept, rejected) == _expected(written)


def _expected(written: list[str]) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    kept: list[tuple[object, ...]] = []
    rejected: list[tuple[int, str]] = []
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(written, 1):
        try:
            row = checked_row(parse_line(line.encode("utf-8", "surrogatepass")), NAMES, (1.0, 5.0))
        except Defect as defect:
            rejected.append((number, defect.kind))
            continue
        if (row.user_id, row.item_id) in seen:
            rejected.append((number, "duplicate"))
            continue
        seen.add((row.user_id, row.item_id))
        kept.append((number, row.user_id, row.item_id, row.rating, row.text, row.timestamp))
    return kept, rejected


@given(st.binary(max_size=300))
@FRESH
def test_no_bytes_crash_the_patient_way(line):
    try:
        record = parse_line(line)
        checked_row(record, NAMES, (1.0, 5.0))
    except Defect as defect:
        assert defect.kind
