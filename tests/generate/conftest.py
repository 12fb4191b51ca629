"""What the tests of this folder share: the mock model server, and an empty warehouse."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.warehouse import open_warehouse
from tests.support.model_fixtures import one_server, server

__all__ = ["one_server", "server"]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "w.duckdb") as connection:
        yield connection
