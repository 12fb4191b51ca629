"""A reader of the browser's kind never makes a build fail, and a build never waits long for one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.settings import Home
from tasks.warehouse import domain_lock, open_warehouse, read_idle_warehouse


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(data=tmp_path)
    with domain_lock(home, "made"), open_warehouse(home.warehouse("made")):
        pass
    return home


def test_a_build_is_not_read_beside(home: Home) -> None:
    with (
        domain_lock(home, "made"),
        pytest.raises(UserError, match="^a build of 'made' is running"),
        read_idle_warehouse(home, "made"),
    ):
        pass


def test_readers_read_beside_each_other(home: Home) -> None:
    with read_idle_warehouse(home, "made") as one, read_idle_warehouse(home, "made") as other:
        assert (
            one.execute("SELECT count(*) FROM briefs").fetchall()
            == other.execute("SELECT count(*) FROM briefs").fetchall()
        )


def test_what_was_never_built_is_said(home: Home) -> None:
    with (
        pytest.raises(UserError, match="there is no warehouse"),
        read_idle_warehouse(home, "nosuch"),
    ):
        pass
    assert not home.warehouse("nosuch").with_suffix(".lock").exists()


def test_a_build_gets_its_domain_while_pages_are_looked_at(home: Home) -> None:
    """Without the lock, a build that opens its warehouse while a page is read is refused."""
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            try:
                with read_idle_warehouse(home, "made") as con:
                    con.execute("SELECT count(*) FROM briefs").fetchall()
            except UserError as error:
                assert "a build of 'made' is running" in str(error)
            time.sleep(0.01)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for _ in range(20):
            with domain_lock(home, "made", patience_s=60):
                for _ in range(3):
                    with open_warehouse(home.warehouse("made")) as con:
                        con.execute("SELECT 1").fetchall()
    finally:
        ended.set()
        reader.join(30)
