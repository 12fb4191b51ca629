from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tasks.errors import UserError
from tasks.stage_inputs import StageInputs
from tasks.warehouse import (
    TABLES,
    check_warehouse,
    forget_stages,
    is_unchanged,
    open_warehouse,
    read_inputs,
    read_warehouse,
    record_stage,
    table_hash,
    why_redone,
)

INPUTS = StageInputs(
    settings={"untitled": "drop"},
    code={"tasks.a": "1"},
    files={"goals.yaml": "1"},
    libraries={"duckdb": "1.0"},
)


def test_every_table_has_a_grain_and_its_key_among_its_columns(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as con:
        for table in TABLES.values():
            columns = {
                row[0]
                for row in con.execute(
                    "SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [table.name]
                ).fetchall()
            }
            assert set(table.key) <= columns
            assert table.grain.endswith(".")


def test_a_stage_is_trusted_only_while_its_tables_hold_what_it_wrote(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as con:
        con.execute("INSERT INTO items VALUES ('i', 'Title', 'Title', 'i')")
        record = record_stage(con, "ingest", INPUTS, ("items",), "run")
        assert (record.rows, is_unchanged(con, "ingest", record.input_hash)) == (1, True)
        assert not is_unchanged(con, "ingest", "other inputs")
        con.execute("UPDATE items SET title = 'Changed'")
        assert not is_unchanged(con, "ingest", record.input_hash)
        assert why_redone(con, "ingest", INPUTS) == "what it wrote was changed or removed"


def test_a_stage_says_what_has_changed_since_it_last_ran(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as con:
        assert why_redone(con, "ingest", INPUTS) == "" and read_inputs(con, "ingest") is None
        record_stage(con, "ingest", INPUTS.after({"raw": "1"}), ("items",), "run")
        assert read_inputs(con, "ingest") == INPUTS.after({"raw": "1"})
        for changed, said in (
            ({"settings": {"untitled": "use_id"}}, "settings.untitled changed"),
            ({"settings": {"untitled": "drop", "more": None}}, "settings.more changed"),
            ({"code": {"tasks.a": "2", "tasks.b": "1"}}, "code of tasks.a, tasks.b changed"),
            ({"code": dict.fromkeys("abcde", "1")}, "code of a, b, c and 3 more changed"),
            (
                {"files": {}, "libraries": {"duckdb": "1.1"}},
                "goals.yaml changed, library duckdb 1.0 is now 1.1",
            ),
            ({"sources": {"reviews.gz": "1"}}, "source reviews.gz changed"),
            ({}, "rows of raw changed"),
        ):
            assert (
                why_redone(con, "ingest", replace(INPUTS, **changed, upstream={"raw": "2"})) == said
            )
        forget_stages(con, ["ingest"])
        assert con.execute("SELECT count(*) FROM stages, stage_inputs").fetchall() == [(0,)]


def test_a_warehouse_of_before_is_read_and_says_that_it_is_older(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as con:
        record_stage(con, "ingest", INPUTS, ("items",), "run")
        con.execute("DROP TABLE stage_inputs")
    with read_warehouse(path) as con:
        assert con.execute("SELECT count(*) FROM stages").fetchall() == [(1,)]
    check_warehouse(path)
    with open_warehouse(path) as con:
        other = replace(INPUTS, settings={})
        assert (
            why_redone(con, "ingest", other)
            == "made by an earlier version, which did not write down from what"
        )


def test_the_table_hash_does_not_depend_on_row_order(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as con:
        rows = [("a", "A", "A", "a"), ("b", "B", "B", "b")]
        con.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", rows)
        first = table_hash(con, ["items"])
        con.execute("DELETE FROM items")
        con.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", rows[::-1])
        assert table_hash(con, ["items"]) == first


def test_a_second_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    code = (
        f"import duckdb, sys; con = duckdb.connect({str(path)!r}); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="another process is working on"), open_warehouse(path):
            pass
        assert holder.stdin is not None
        holder.stdin.close()


def test_what_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.duckdb").write_bytes(
        b"this is not a database, only some text that is long enough" * 100
    )
    with pytest.raises(UserError, match="cannot be opened"), open_warehouse(tmp_path / "w.duckdb"):
        pass
    with pytest.raises(UserError, match="put a good copy there, or move it away"):
        check_warehouse(tmp_path / "w.duckdb")
    with (
        pytest.raises(UserError, match="run `redial build nothing` first"),
        read_warehouse(tmp_path / "nothing.duckdb"),
    ):
        pass


@pytest.mark.parametrize("damage", ["header", "cut", "folder", "sqlite"])
def test_a_damaged_or_foreign_file_is_refused_in_one_line(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    if damage == "folder":
        path.mkdir()
    elif damage == "sqlite":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE t (a)")
    else:
        with open_warehouse(path) as con:
            con.execute("INSERT INTO items SELECT x, x, x, x FROM range(500_000) r(x)")
        content = path.read_bytes()
        path.write_bytes(
            content[: len(content) // 2]
            if damage == "cut"
            else content[:12] + b"\xff" + content[13:]
        )
    for use in (check_warehouse, lambda path: open_warehouse(path).__enter__()):
        with pytest.raises(UserError, match="cannot be opened") as told:
            use(path)
        assert "\n" not in str(told.value)


def test_a_file_that_was_made_but_never_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "w.duckdb").touch()
    check_warehouse(tmp_path / "w.duckdb")
    with (
        pytest.raises(UserError, match="run `redial build w` first"),
        read_warehouse(tmp_path / "w.duckdb"),
    ):
        pass
    with open_warehouse(tmp_path / "w.duckdb"):
        pass


def test_tables_of_another_version_are_told(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute("CREATE TABLE items (item_id VARCHAR)")
    with pytest.raises(UserError, match=r"made by another version \(table items"):
        check_warehouse(tmp_path / "w.duckdb")
    with (
        pytest.raises(UserError, match="made by another version"),
        open_warehouse(tmp_path / "w.duckdb"),
    ):
        pass


def test_tables_that_are_not_there_yet_are_for_the_build_to_make(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute("CREATE TABLE other (a INTEGER)")
    check_warehouse(tmp_path / "w.duckdb")
    with (
        pytest.raises(
            UserError, match="has no table raw_reviews of this version: run `redial build w` first"
        ),
        read_warehouse(tmp_path / "w.duckdb"),
    ):
        pass


FULL = """
import resource, sys
from pathlib import Path
from tasks.errors import UserError
from tasks.warehouse import open_warehouse

resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
try:
    with open_warehouse(Path(sys.argv[1])) as con:
        con.begin()
        con.execute(
            "INSERT INTO items SELECT md5(x::VARCHAR), md5(x::VARCHAR), 'title', 'work' "
            "FROM range(200_000) r(x)"
        )
        con.commit()
except UserError as error:
    print(error)
"""


def test_a_full_disk_is_one_line_and_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as con:
        con.execute("INSERT INTO items VALUES ('i', 'Title', 'Title', 'i')")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert (
        done.stdout
        == f"the disk that holds {tmp_path} is full: make room and run the same command again\n"
    ), done.stderr
    with read_warehouse(path) as con:
        assert con.execute("SELECT count(*) FROM items").fetchall() == [(1,)]


def test_too_little_memory_is_one_line_that_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIAL_MEMORY", "2MB")
    with (
        pytest.raises(UserError, match="set REDIAL_MEMORY to more") as error,
        open_warehouse(tmp_path / "w.duckdb", threads=1) as con,
    ):
        con.execute("SET max_temp_directory_size = '0B'")
        con.execute("SELECT list(random()::VARCHAR) FROM range(1_000_000)").fetchall()
    assert "\n" not in str(error.value)
    monkeypatch.setenv("REDIAL_MEMORY", "lots")
    with (
        pytest.raises(UserError, match="REDIAL_MEMORY is 'lots'"),
        open_warehouse(tmp_path / "w.duckdb"),
    ):
        pass
