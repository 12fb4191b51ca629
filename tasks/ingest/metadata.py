"""Item titles as the metadata files publish them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from tasks.ingest.json_lines import parsed, refuse_array
from tasks.ingest.lines import numbered_lines
from tasks.ingest.rows import OVER_LONG, Defect, Tally, identifier, without_control

TITLE_SCHEMA = pa.schema([("line", pa.int64()), ("item_id", pa.string()), ("title", pa.string())])


@dataclass(frozen=True)
class TitleNames:
    """The names of an item's id and title in a metadata file; the first one present wins."""

    item: tuple[str, ...]
    title: tuple[str, ...]


def json_titles(path: Path, names: TitleNames, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield item ids with their titles as published, empty where there is none. Raises UserError as `json_reviews` does."""
    for group in numbered_lines(path):
        if group.first == 1:
            refuse_array(path, group)
        over_long = set(group.over_long)
        found: list[tuple[int, str, str]] = []
        for number, line in enumerate(group.lines, group.first):
            if not line.strip() and number not in over_long:
                continue
            tally.lines += 1
            try:
                if number in over_long:
                    raise Defect(OVER_LONG)
                found.append((number, *_entry(line, names)))
            except Defect as defect:
                tally.reject(number, defect)
        yield title_batch(found)


def title_batch(found: list[tuple[int, str, str]]) -> pa.RecordBatch:
    """Return entries of line, item id and title as Arrow."""
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    return pa.record_batch([pa.array(values, kind.type) for values, kind in zip(columns, TITLE_SCHEMA, strict=True)], schema=TITLE_SCHEMA)


def title_entry(record: Mapping[str, Any], names: TitleNames) -> tuple[str, str]:
    """Return one item's id and its title as published, empty if it has none. Raises Defect."""
    item = next((record[name] for name in names.item if record.get(name) not in (None, "")), None)
    title = next((record[name] for name in names.title if record.get(name) not in (None, "")), None)
    return identifier(item, "item"), without_control(title) if isinstance(title, str) else ""


def _entry(line: bytes, names: TitleNames) -> tuple[str, str]:
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = parsed(line)
    return title_entry(record if isinstance(record, dict) else parsed(line), names)
