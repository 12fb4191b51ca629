"""What earlier versions stored is read, and what a newer one stored is refused in one line and stays."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tasks.derive import Selection, select_dialogues
from tasks.errors import UserError
from tasks.evaluation.annotate import Study
from tasks.llm import recover_journals
from tasks.llm.journal import from_line, to_line
from tasks.marks import append_mark, log_path, new_mark, read_log
from tasks.release import FoundRelease, Release, check_release, read_facts
from tasks.settings import Home
from tasks.warehouse import open_warehouse
from tests.support.command import run_redial
from tests.support.made_up_answers import made_up_entry

EARLIER = sorted(path for path in Path(__file__).parent.iterdir() if (path / "release").is_dir())
FACTS = "facts.json"
NEWER = "and this version reads up to 1: use"
pytestmark = pytest.mark.parametrize("stored", EARLIER, ids=lambda path: path.name)


def test_there_are_two_earlier_versions(stored: Path) -> None:
    assert len(EARLIER) == 2 and (stored / "journal.jsonl").is_file()


def test_paid_answers_of_journals_survive_an_upgrade(stored: Path, tmp_path: Path) -> None:
    home = Home.find(tmp_path / "data")
    home.journals("demo").mkdir(parents=True)
    shutil.copy(stored / "journal.jsonl", home.journals("demo") / "1.jsonl")
    with open_warehouse(home.warehouse("demo")):
        pass
    done = run_redial(home.data, "upgrade", "demo")
    assert done.returncode == 0, done.stderr
    with open_warehouse(home.warehouse("demo")) as con:
        found = con.execute("SELECT text, cost_usd, completion_tokens FROM responses").fetchall()
    assert found == [("said", 0.5, 4)] and not list(home.journals("demo").glob("*.jsonl"))


def test_answers_of_a_newer_journal_are_refused_and_stay(stored: Path, tmp_path: Path) -> None:
    """They are not set aside: the newer version reads them."""
    line = (stored / "journal.jsonl").read_bytes().partition(b" ")[2]
    newer = json.dumps({**json.loads(line), "layout": 2}).encode() + b"\n"
    path = tmp_path / "journals" / "1.jsonl"
    path.parent.mkdir()
    path.write_bytes(newer)
    with (
        open_warehouse(tmp_path / "demo.duckdb") as con,
        pytest.raises(UserError, match=f"layout 2, {NEWER}"),
    ):
        recover_journals(con, path.parent)
    assert path.read_bytes() == newer
    entry = made_up_entry()
    assert from_line(to_line(entry)) == entry and b'"layout":1' in to_line(entry)


def test_studies(stored: Path, tmp_path: Path) -> None:
    path = shutil.copy(stored / "study.sqlite", tmp_path / "study.sqlite")
    study = Study(path)
    assert study.answers("ann")["t1"]["fluency"] == 2
    again = Study.create(tmp_path / "new.sqlite", study.tasks)
    with closing(sqlite3.connect(again.path)) as con, con:
        assert con.execute("PRAGMA user_version").fetchone() == (1,)
        con.execute("PRAGMA user_version = 2")
    with pytest.raises(UserError, match=f"has layout 2, {NEWER}"):
        Study(again.path)


def test_marks(stored: Path, tmp_path: Path) -> None:
    home = Home.find(tmp_path / "data")
    log = log_path(home, "demo")
    log.parent.mkdir(parents=True)
    if (stored / "marks.jsonl").is_file():  # the earliest version had none
        shutil.copy(stored / "marks.jsonl", log)
        (mark,) = read_log(home, "demo").marks
        assert (mark.mark, mark.comment, mark.who) == ("good", "fine", "ann")
    append_mark(home, "demo", new_mark("d" * 16, 1, "h", mark="bad", comment="", who=""))
    line = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    assert line["layout"] == 1 and read_log(home, "demo").unreadable == 0
    log.write_text(json.dumps({**line, "layout": 2}) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=f"has layout 2, {NEWER}"):
        read_log(home, "demo")


def test_releases(stored: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(stored / "release", tmp_path / "release"))
    assert check_release(folder) == [] and len(Release.load(folder).users) == 3
    part = tmp_path / "part"
    counts = select_dialogues(FoundRelease(folder, "demo", "demo"), Selection(), part)
    assert counts["dialogues"] == 3
    facts = json.loads((part / FACTS).read_text(encoding="utf-8"))
    (part / FACTS).write_text(json.dumps({**facts, "layout": 2}), encoding="utf-8")
    with pytest.raises(UserError, match=f"has layout 2, {NEWER}"):
        read_facts(part)
