"""What the preprocess tests share: reviews put into a warehouse in memory, without files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import pytest

from tasks.preprocess import PreprocessCounts, preprocess
from tasks.settings import Domain
from tasks.warehouse import create_tables


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        create_tables(connection)
        yield connection


@pytest.fixture
def run(con: duckdb.DuckDBPyConnection) -> Callable[..., PreprocessCounts]:
    """Preprocess reviews given as (user, item, rating, text, timestamp), one source line each: `run(reviews, titled=..., **settings)`."""

    def make(
        reviews: Sequence[tuple[Any, ...]], titled: Sequence[str] | None = None, **settings: Any
    ) -> PreprocessCounts:
        con.execute("DELETE FROM raw_reviews")
        con.execute("DELETE FROM items")
        rows = [(f"r{line}", *review, "r.json", line) for line, review in enumerate(reviews, 1)]
        con.executemany("INSERT INTO raw_reviews VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        items = sorted({review[1] for review in reviews}) if titled is None else titled
        con.executemany(
            "INSERT INTO items VALUES (?, ?, ?, ?)",
            [(item, item, item, item) for item in items] or [("none", "", "", "")],
        )
        small = {"min_words": 1, "min_user_interactions": 1, "min_item_interactions": 1}
        sources = {"format": "amazon_2014", "reviews": ["/data/r.json"]}
        return preprocess(
            con,
            Domain.model_validate(
                {"name": "test", "sources": sources, "preprocess": {**small, **settings}}
            ),
        )

    return make


@pytest.fixture
def rows(con: duckdb.DuckDBPyConnection) -> Callable[[str], list[tuple[Any, ...]]]:
    return lambda query: con.execute(query).fetchall()
