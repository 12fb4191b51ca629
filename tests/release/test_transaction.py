"""A release and what the warehouse notes of it come to stand together, or neither does."""

from __future__ import annotations

import signal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tasks.errors import UserError
from tasks.lineage import note_release
from tasks.release import PseudonymKey, Release, check_release, find_release, write_release
from tasks.release import writer as released
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.forked import run_forked
from tests.support.release_process import MOMENTS
from tests.support.small_warehouse import small_warehouse

RUN = {"seed": 7}
Noted = tuple[list[str], int]


def noted(con: duckdb.DuckDBPyConnection) -> Noted:
    """Return the versions a warehouse has noted, and the dialogues of all of them."""
    versions = [
        row[0] for row in con.execute("SELECT version FROM releases ORDER BY version").fetchall()
    ]
    return versions, con.execute("SELECT count(*) FROM released_dialogues").fetchall()[0][0]


def release(con: duckdb.DuckDBPyConnection, home: Home, **choices: object) -> released.ReleaseInfo:
    return write_release(
        con,
        home,
        "demo",
        run=RUN,
        note=lambda version: note_release(con, version, "r", "c", "v"),
        **choices,
    )  # type: ignore[arg-type]


def test_the_judge_sees_the_text_of_the_file_under_the_warehouses_ids(tmp_path: Path) -> None:
    con, seen = small_warehouse(), []
    release(
        con,
        Home(data=tmp_path),
        validate=seen.append,
        pseudonymise_key=PseudonymKey(b"x" * 16, None),
    )
    (texts,) = seen
    assert isinstance(texts, pl.DataFrame)
    assert texts.columns == [
        "dialogue_id",
        "turn",
        "role",
        "text",
    ]
    # One line, as released.
    assert texts.filter(dialogue_id="d2", turn=0)["text"].to_list() == [
        "I did not like The Mummy. Not at all."
    ]
    assert sorted(texts["dialogue_id"].unique()) == ["d2", "d3", "d4"]
    assert len(texts) == 10


def test_what_the_judge_refuses_leaves_no_release(tmp_path: Path) -> None:
    con, home = small_warehouse(), Home(data=tmp_path)
    first = release(con, home)
    before = noted(con)
    con.execute("UPDATE verdicts SET verdict = 'rejected' WHERE dialogue_id = 'd4'")

    def _refuse(texts: pl.DataFrame) -> None:
        raise UserError("1 dialogues break a rule")

    with pytest.raises(UserError, match="break a rule"):
        release(con, home, validate=_refuse)
    assert noted(con) == before == ([first.version], 3)
    assert sorted(path.name for path in first.path.parent.iterdir()) == sorted(
        [first.version, "latest"]
    )
    assert find_release(home, "demo/latest").path == first.path  # type: ignore[union-attr]


@pytest.mark.parametrize("standing", ["none", "damaged"])
def test_a_commit_that_fails_takes_the_release_away_again(
    tmp_path: Path, standing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    con, home = small_warehouse(), Home(data=tmp_path)
    if standing == "damaged":
        (release(con, home).path / "Conversation.txt").write_text("spoilt")
    before = noted(con)
    put = released._Placing.put

    def _broken(placing: released._Placing, folder: Path, name: str) -> None:
        put(placing, folder, name)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(released._Placing, "put", _broken)
    with pytest.raises(UserError, match="No space left"):
        release(con, home)
    monkeypatch.undo()
    assert noted(con) == before
    texts = [path.read_text() for path in home.releases("demo").glob("*/Conversation.txt")]
    assert texts == (["spoilt"] if standing == "damaged" else [])
    assert not [path for path in home.releases("demo").iterdir() if path.name.startswith(".")]
    assert check_release(release(con, home).path) == []


def test_a_standing_release_is_judged_again_only_when_asked_or_not_noted(tmp_path: Path) -> None:
    con, home, judged = small_warehouse(), Home(data=tmp_path), []
    release(con, home, validate=judged.append)
    assert release(con, home, validate=judged.append).reused
    assert len(judged) == 1
    assert release(con, home, validate=judged.append, revalidate=True).reused
    assert len(judged) == 2
    con.execute("DELETE FROM releases")
    release(con, home, validate=judged.append)
    assert len(judged) == 3


def run(data: Path, moment: str) -> int:
    return run_forked("tests.support.release_process:main", str(data), moment).returncode


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_nothing_half_can_be_read(tmp_path: Path, moment: str) -> None:
    home = Home(data=tmp_path)
    assert run(tmp_path, moment) == -signal.SIGKILL
    folders = [
        path
        for path in home.releases("demo").glob("*")
        if path.is_dir() and not path.name.startswith(".")
    ]
    with pytest.raises(UserError, match="no release"):
        find_release(home, "demo")
    for folder in folders:
        with pytest.raises(UserError, match="was not finished"):
            Release.load(folder)
    assert run(tmp_path, "none") == 0
    with read_warehouse(home.warehouse("demo")) as con:
        versions, dialogues = noted(con)
    found = find_release(home, "demo")
    assert found is not None
    assert [found.version] == versions
    assert dialogues == 3
    assert check_release(found.path) == []
    assert sorted(path.name for path in found.path.parent.iterdir()) == sorted(
        [found.version, "latest"]
    )
