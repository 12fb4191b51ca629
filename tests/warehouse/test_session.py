"""A session opens a warehouse once for several uses, and again after it was closed or met an I/O error."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tasks.errors import UserError
from tasks.warehouse import WarehouseSession, read_warehouse


def test_it_is_opened_at_its_first_use_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "warehouse" / "demo.duckdb"
    session = WarehouseSession(path)
    assert not path.exists()
    with session.use() as first, session.use() as within:
        assert within is first
    with session.use() as second:
        assert second is first
    session.close()


def test_closed_it_can_be_read_by_others_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    session = WarehouseSession(path)
    session.close()
    with session.use() as con:
        con.execute("INSERT INTO verdicts VALUES ('d', 'accepted', 1)")
    session.close()
    with read_warehouse(path) as con:
        assert con.execute("SELECT count(*) FROM verdicts").fetchall() == [(1,)]
    with session.use() as con:
        con.execute("DELETE FROM verdicts")
    session.close()


def test_after_an_io_error_the_next_use_has_another_connection(tmp_path: Path) -> None:
    session = WarehouseSession(tmp_path / "demo.duckdb")
    with pytest.raises(duckdb.IOException), session.use() as broken:
        raise duckdb.IOException("could not read block")
    with pytest.raises(duckdb.ConnectionException):
        broken.execute("SELECT 1")
    with session.use() as con:
        assert con.execute("SELECT 1").fetchall() == [(1,)]
    session.close()


def test_other_errors_leave_it_open(tmp_path: Path) -> None:
    session = WarehouseSession(tmp_path / "demo.duckdb")
    with pytest.raises(ZeroDivisionError), session.use() as con:
        raise ZeroDivisionError
    assert con.execute("SELECT 1").fetchall() == [(1,)]
    session.close()


def test_a_full_disk_is_one_line_for_the_user(tmp_path: Path) -> None:
    session = WarehouseSession(tmp_path / "demo.duckdb")
    with pytest.raises(UserError, match="is full: make room"), session.use():
        raise duckdb.IOException("Could not write file: No space left on device")
    session.close()
