"""The Python examples of the pages run. That of the README runs on the demo, in tests/cli/test_build.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.release import write_release
from tasks.settings import Home
from tasks.warehouse import create_tables, open_warehouse
from tests.docs.pages import DOCS, blocks
from tests.support.small_warehouse import small_warehouse

BUILDING, READING, WAREHOUSE, EXPORTING = blocks(DOCS / "reference" / "python-api.md", "python")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A data folder with a small release of the demo, which is the folder in use."""
    monkeypatch.setenv("REDIAL_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_release(small_warehouse(), Home(data=tmp_path), "demo", run={})
    return Home(data=tmp_path)


def test_a_release_is_read(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = [path for path in home.releases("demo").iterdir() if path.is_dir()]
    assert READING.count('"data/releases/demo/VERSION"') == 1
    exec(READING.replace('"data/releases/demo/VERSION"', repr(str(folder))), {})
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "ann 3 items known, 1 recommended",
        "1 Amélie & Co",
        "  user: I did not like The Mummy. Not at all.",
    ]


def test_a_warehouse_is_read(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with open_warehouse(home.warehouse("demo")) as con:
        create_tables(con)
        con.execute("INSERT INTO verdicts VALUES ('d1', 'accepted', 1)")
    exec(WAREHOUSE, {})
    assert capsys.readouterr().out == "[('accepted', 1)]\n"


def test_a_release_is_exported_and_counted(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    exec(EXPORTING, {})
    folder, table = capsys.readouterr().out.splitlines()
    assert (Path(folder) / "train.jsonl").is_file()
    assert "'#Dialogues', 'demo': 3" in table
