"""What made a release, by the stages' own records: the same however often and when they ran."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tasks.runs import origin_of_release
from tasks.stage_inputs import StageInputs
from tasks.warehouse import open_warehouse, record_stage

MADE = StageInputs(
    settings={"seed": 1},
    code={"tasks.errors": "1"},
    files={"goals.yaml": "1"},
    libraries={"duckdb": "1"},
)
WRITER = StageInputs(settings={}, code={"tasks.release.writer": "1"})
SOURCES = {"reviews.gz": "1"}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with a dialogue accepted at the first attempt, and records of two attempts."""
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        opened.execute("INSERT INTO verdicts VALUES ('d', 'accepted', 1)")
        for stage in (
            "ingest",
            "preprocess",
            "briefs",
            "generate-1",
            "quality-1",
            "generate-2",
            "verdicts",
        ):
            record_stage(opened, stage, MADE, ("items",), "run")
        yield opened


def test_a_release_is_known_by_what_made_it_and_not_by_who_ran_it_when(
    con: duckdb.DuckDBPyConnection,
) -> None:
    first = origin_of_release(con, WRITER, SOURCES)
    assert len(first.code) == 16 and len(first.run_hash) == 64 and first.mixed == ()
    record_stage(con, "briefs", MADE, ("items",), "another run")
    # No row of it is released.
    record_stage(con, "generate-2", replace(MADE, code={"tasks.errors": "2"}), ("items",), "run")
    assert origin_of_release(con, WRITER, SOURCES) == first


@pytest.mark.parametrize(
    "made",
    [
        replace(MADE, code={"tasks.errors": "1", "tasks.more": "1"}),
        replace(MADE, files={"goals.yaml": "2"}),
        replace(MADE, libraries={"duckdb": "2"}),
    ],
)
def test_code_files_and_libraries_of_any_stage_are_in_the_code(
    con: duckdb.DuckDBPyConnection, made: StageInputs
) -> None:
    first = origin_of_release(con, WRITER, SOURCES)
    record_stage(con, "generate-1", made, ("items",), "run")
    after = origin_of_release(con, WRITER, SOURCES)
    assert after.code != first.code and after.run_hash != first.run_hash


def test_another_python_redoes_a_stage_and_makes_the_same_release(
    con: duckdb.DuckDBPyConnection,
) -> None:
    before = origin_of_release(con, WRITER, SOURCES)
    tables = {"duckdb": "1", "python-unicode": "15.1.0"}
    elsewhere = replace(MADE, libraries=tables)
    assert elsewhere.hash("ingest") != MADE.hash("ingest")
    record_stage(con, "ingest", elsewhere, ("items",), "run")
    assert origin_of_release(con, WRITER, SOURCES) == before


def test_settings_and_sources_are_in_the_hash_and_not_in_the_code(
    con: duckdb.DuckDBPyConnection,
) -> None:
    first = origin_of_release(con, WRITER, SOURCES)
    other = origin_of_release(con, WRITER, {"reviews.gz": "2"})
    record_stage(con, "quality-1", replace(MADE, settings={"seed": 2}), ("items",), "run")
    third = origin_of_release(con, WRITER, SOURCES)
    assert first.code == other.code == third.code
    assert len({first.run_hash, other.run_hash, third.run_hash}) == 3
    assert (
        origin_of_release(con, replace(WRITER, code={"tasks.release.writer": "2"}), SOURCES).code
        != first.code
    )


def test_rows_of_several_versions_are_named(con: duckdb.DuckDBPyConnection) -> None:
    record_stage(con, "generate-1", replace(MADE, code={"tasks.errors": "2"}), ("items",), "run")
    made = origin_of_release(con, WRITER, SOURCES)
    assert made.mixed[0] == "generate-1 ran with another tasks.errors than ingest"
    record_stage(con, "generate-1", MADE.after({"briefs": "of before"}), ("items",), "run")
    assert origin_of_release(con, WRITER, SOURCES).mixed == (
        "generate-1 was made before briefs was last made",
    )
