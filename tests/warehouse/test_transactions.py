"""What a transaction writes stands whole or not at all."""

from __future__ import annotations

import duckdb
import pytest

from tasks.warehouse import transaction


def test_a_block_that_ends_is_committed() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE t (x INTEGER)")
    with transaction(con):
        con.execute("INSERT INTO t VALUES (1)")
    assert con.cursor().execute("SELECT x FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_block_that_is_stopped_leaves_nothing(stop: type[BaseException]) -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE t (x INTEGER)")
    with pytest.raises(stop), transaction(con):
        con.execute("INSERT INTO t VALUES (1)")
        raise stop
    assert con.execute("SELECT x FROM t").fetchall() == []
    with transaction(con):
        con.execute("INSERT INTO t VALUES (2)")
    assert con.execute("SELECT x FROM t").fetchall() == [(2,)]
