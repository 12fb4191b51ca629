"""Locks end with their holder, files are whole or as before, names are distinguished from paths."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.files import replacing, write_atomically
from tasks.locks import Held, exclusive_lock, wait_until_released
from tasks.polling import wait_until
from tasks.release import corpus_path, find_release
from tasks.settings import Home
from tasks.settings.paths import PROJECT
from tasks.warehouse import domain_lock, one_row, open_warehouse, rows

HOLDER = """
import sys, time
from pathlib import Path
from tasks.locks import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """A process that holds `demo` of the data folder."""
    (tmp_path / "warehouse").mkdir()
    lock = str(tmp_path / "warehouse" / "demo.lock")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def test_a_lock_names_its_holder_and_is_free_when_the_holder_is_killed(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    home = Home(data=tmp_path)
    with (
        pytest.raises(UserError, match=f"process {holder.pid} is working on domain 'demo'"),
        domain_lock(home, "demo", patience_s=0),
    ):
        pass
    holder.kill()
    holder.wait()
    with domain_lock(home, "demo", patience_s=0):
        pass
    wait_until_released(tmp_path / "warehouse" / "demo.lock")


def test_a_lock_is_held_against_this_process_too(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock"), pytest.raises(Held), exclusive_lock(tmp_path / "lock"):
        pass
    with exclusive_lock(tmp_path / "lock"):
        pass


def test_a_lock_in_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "warehouse").write_text("a file")
    with (
        pytest.raises(UserError, match="cannot be written"),
        domain_lock(Home(data=tmp_path), "demo"),
    ):
        pass


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file.txt"
    assert write_atomically(path, "é\n").read_bytes() == "é\n".encode()
    with pytest.raises(RuntimeError), replacing(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "half \ud800")
    assert path.read_text(encoding="utf-8") == "é\n"
    assert [one.name for one in path.parent.iterdir()] == ["file.txt"]


def test_waiting_looks_at_least_once_and_ends() -> None:
    seen: list[int] = []
    assert not wait_until(lambda: bool(seen.append(1)), 0.0)
    assert len(seen) == 1
    assert wait_until(lambda: len(seen) > 3 or bool(seen.append(1)), 10, 0.0)


def test_rows_come_by_name(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "x.duckdb") as con:
        assert rows(con, "SELECT $1 AS a, 2 AS b", [1]) == [{"a": 1, "b": 2}]
        assert one_row(con, "SELECT $a AS a", {"a": 1}) == {"a": 1}
        assert rows(con, "SELECT 1 AS a WHERE false") == []
        with pytest.raises(ValueError, match="unpack"):
            one_row(con, "SELECT 1 AS a WHERE false")


@pytest.mark.parametrize("text", ["nothing", "a" * 5000, "with\0zero", "", "~nobody-here/x"])
def test_neither_a_domain_nor_a_path_is_one_line(text: str, tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    assert home.is_domain("demo") and not home.is_domain(text)
    assert find_release(home, text) is None
    with pytest.raises(UserError, match="is neither a domain .*, a release, nor a file or folder"):
        corpus_path(home, text)
