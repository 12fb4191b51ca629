"""The curated templates, once."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tasks.settings import Home
from tasks.templates import Template, load_templates
from tests.support.preferred_users import bulk_warehouse


@pytest.fixture(scope="session")
def templates() -> tuple[Template, ...]:
    return load_templates(Home()).templates


@pytest.fixture(scope="module")
def bulk() -> Iterator[duckdb.DuckDBPyConnection]:
    """700 made-up users with above 2,000 MIGHT_LIKES items, nothing planned yet."""
    con = duckdb.connect(":memory:")
    bulk_warehouse(con, users=700, items=600)
    yield con
    con.close()
