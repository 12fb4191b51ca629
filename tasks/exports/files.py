"""Writes JSON and Parquet so that equal rows give equal bytes and no text can break a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 10_000
# JSON leaves these alone inside a string, but `str.splitlines` and some editors end a line at them.
_LINE_ENDS = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"})


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON in UTF-8 characters, with every line-ending character escaped."""
    return json.dumps(value, ensure_ascii=False, indent=indent).translate(_LINE_ENDS)


def write_json(path: Path, value: Any) -> None:
    """Write a value as one JSON file."""
    path.write_text(json_text(value, 1) + "\n", encoding="utf-8", newline="\n")


def write_json_lines(path: Path, rows: Iterable[Any]) -> int:
    """Write one JSON value a line; return how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json_text(row) + "\n")
            count += 1
    return count


def write_split(folder: Path, split: str, rows: Iterable[Any]) -> int:
    """Write the rows of one split as `SPLIT.jsonl`; return how many.

    Without a row there is no file: `load_dataset` refuses empty ones.
    """
    path = folder / f"{split}.jsonl"
    count = write_json_lines(path, rows)
    if not count:
        path.unlink()
    return count


def write_parquet(path: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as a Parquet file in row groups of a fixed size; return how many."""
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in _batches(rows):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    stream = iter(rows)
    while batch := list(islice(stream, ROW_GROUP)):
        yield batch
