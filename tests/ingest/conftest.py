"""What the ingest tests share: a warehouse in memory, domains in a line, and source files of all kinds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from tasks.ingest import IngestCounts, ingest
from tasks.settings import Domain
from tasks.warehouse import create_tables


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        create_tables(connection)
        yield connection


@pytest.fixture
def review() -> Callable[..., dict[str, Any]]:
    """A good review of the 2014 edition, with anything changed that is named; None takes a field out."""

    def make(**changes: Any) -> dict[str, Any]:
        good = {
            "reviewerID": "A1",
            "asin": "B1",
            "overall": 5.0,
            "reviewText": "It works well.",
            "unixReviewTime": 1393545600,
        }
        return {key: value for key, value in {**good, **changes}.items() if value is not None}

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a source file: bytes as they are, text, or records as JSON lines; packed as the name says."""

    def make(name: str, content: bytes | str | list[Any]) -> Path:
        if isinstance(content, list):
            content = "".join(
                (line if isinstance(line, str) else json.dumps(line)) + "\n" for line in content
            )
        data = content.encode() if isinstance(content, str) else content
        packer = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}.get(
            Path(name).suffix
        )
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packer(data) if packer else data)
        return path

    return make


@pytest.fixture
def run(con: duckdb.DuckDBPyConnection) -> Callable[..., IngestCounts]:
    """Ingest files: `run(reviews, metadata, format=..., **settings)`."""

    def make(
        reviews: Path | list[Path], metadata: Path | None = None, **settings: Any
    ) -> IngestCounts:
        listed = reviews if isinstance(reviews, list) else [reviews]
        sources = {
            "format": settings.pop("format", "amazon_2014"),
            "reviews": [str(path) for path in listed],
        }
        if metadata:
            sources["metadata"] = [str(metadata)]
        sources |= {
            key: settings.pop(key)
            for key in ("columns", "rating_scale", "anonymous", "undated", "encoding")
            if key in settings
        }
        return ingest(
            con,
            Domain.model_validate(
                {"name": "test", "sources": sources, "untitled": "use_id", **settings}
            ),
        )

    return make


@pytest.fixture
def rows(con: duckdb.DuckDBPyConnection) -> Callable[[str], list[tuple[Any, ...]]]:
    return lambda query: con.execute(query).fetchall()
