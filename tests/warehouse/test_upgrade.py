"""Warehouses of earlier versions: paid answers and the record of runs survive."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tasks.errors import UserError
from tasks.warehouse import TABLES, open_warehouse, read_warehouse, upgrade_warehouse
from tests.support.command import run_redial

ANSWER = {
    "request_key": "'k'",
    "dialogue_id": "'d'",
    "attempt": "1",
    "model": "'m'",
    "text": "'said'",
    "prompt_tokens": "3",
    "completion_tokens": "4",
    "cost_usd": "0.5",
    "run_id": "'r'",
}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A warehouse whose answers and dialogues have other columns and no version."""
    path = tmp_path / "warehouse" / "demo.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as con:
        for name, table in TABLES.items():
            if name not in ("responses", "dialogues"):
                con.execute(table.ddl())
        con.execute("CREATE TABLE dialogues (dialogue_id VARCHAR, words INTEGER)")
        con.execute("INSERT INTO dialogues VALUES ('d', 5)")
        values = ", ".join(f"{value} AS {name}" for name, value in ANSWER.items())
        con.execute(f"CREATE TABLE responses AS SELECT 'x' AS old_column, {values}")
        con.execute("INSERT INTO releases VALUES ('v1', 'r', 'c', 'code', 3, now())")
    return path


def test_what_was_paid_for_is_taken_over(earlier: Path) -> None:
    refused = pytest.raises(UserError, match="`redial upgrade demo` brings it up to date")
    with refused, read_warehouse(earlier):
        pass
    done = run_redial(earlier.parents[1], "upgrade", "demo")
    assert done.returncode == 0 and "responses" in done.stdout, done.stderr
    with read_warehouse(earlier) as con:
        assert con.execute("SELECT text, cost_usd FROM responses").fetchall() == [("said", 0.5)]
        assert con.execute("SELECT version FROM releases").fetchall() == [("v1",)]
        assert con.execute("SELECT count(*) FROM dialogues").fetchall() == [(0,)]
    backup = earlier.with_name("demo.duckdb.layout-0")
    with duckdb.connect(str(backup), read_only=True) as con:
        assert con.execute("SELECT old_column FROM responses").fetchall() == [("x",)]
    again = run_redial(earlier.parents[1], "upgrade", "demo")
    assert "up to date" in again.stdout


def test_a_newer_layout_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    with open_warehouse(path) as con:
        con.execute("COMMENT ON TABLE runs IS 'layout 99'")
    with pytest.raises(UserError, match="made by a newer version"), open_warehouse(path):
        pass
    with pytest.raises(UserError, match="has layout 99"):
        upgrade_warehouse(path)
    with pytest.raises(UserError, match="nothing to upgrade"):
        upgrade_warehouse(tmp_path / "none.duckdb")


LAYOUTS = sorted((Path(__file__).parent / "layouts").glob("*.sql"))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda path: path.stem)
def test_warehouses_of_earlier_commits_are_opened_with_their_answers(
    layout: Path, tmp_path: Path
) -> None:
    path = tmp_path / "warehouse" / "demo.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as con:
        con.execute(layout.read_text(encoding="utf-8"))
        columns, values = ", ".join(ANSWER), ", ".join(ANSWER.values())
        con.execute(f"INSERT INTO responses ({columns}) VALUES ({values})")
    done = run_redial(tmp_path, "upgrade", "demo")
    assert done.returncode == 0 and "up to date" in done.stdout, done.stderr
    with open_warehouse(path) as con:
        assert con.execute("SELECT text, cost_usd FROM responses").fetchall() == [("said", 0.5)]
        for table in TABLES.values():
            assert not con.execute(f"SELECT * FROM {table.name} LIMIT 0").fetchall()
