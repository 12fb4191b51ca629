from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.reports import write_pages
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.report_warehouse import fill


@pytest.fixture(scope="session")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A data folder with one domain, `made`: 5,000 dialogues, with hostile text of strangers."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    with open_warehouse(home.warehouse("made")) as con:
        fill(con, 5_000, hostile=True)
    return home


@pytest.fixture
def hostile(hostile_home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with read_warehouse(hostile_home.warehouse("made")) as con:
        yield con


@pytest.fixture(scope="session")
def hostile_page(hostile_home: Home) -> Path:
    """The report of that domain."""
    with read_warehouse(hostile_home.warehouse("made")) as con:
        return write_pages(con, hostile_home, "made").latest["report"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(data=tmp_path)
