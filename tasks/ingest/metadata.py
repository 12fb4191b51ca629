"""Item titles as the metadata files publish them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from typing import Any

import orjson
import pyarrow as pa

from tasks.ingest.defects import OVER_LONG, Defect, Tally
from tasks.ingest.json_lines import parsed, refuse_other_json
from tasks.ingest.lines import text_blocks
from tasks.ingest.rows import TitleNames, value_of
from tasks.ingest.source_file import SourceFile
from tasks.ingest.values import identifier, title_text

TITLE_SCHEMA = pa.schema([("line", pa.int64()), ("item_id", pa.string()), ("title", pa.string())])

_LITERAL_START = re.compile(rb"\{'asin': '([A-Za-z0-9]+)'")


def json_titles(file: SourceFile, names: TitleNames, wanted: Set[str], tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the wanted item ids with their titles as published, empty where there is none. Raises UserError on a JSON array."""
    for block in text_blocks(file, tally):
        if block.first == 1:
            refuse_other_json(file, block)
        for number in block.over_long:
            tally.lines += 1
            tally.reject(number, Defect(OVER_LONG))
        found: list[tuple[int, str, str]] = []
        for number, line in enumerate(block.lines(), block.first):
            if not line.strip():
                continue
            tally.lines += 1
            try:
                entry = None if _is_unwanted(line, wanted) else _entry(line, names)
                if entry and entry[0] in wanted:
                    found.append((number, *entry))
            except Defect as defect:
                tally.reject(number, defect)
        yield title_batch(found)


def _is_unwanted(line: bytes, wanted: Set[str]) -> bool:
    """Tell of a Python literal, which is slow to read, by its first key that it is about another item."""
    start = _LITERAL_START.match(line)
    return start is not None and start[1].decode() not in wanted


def title_batch(found: list[tuple[int, str, str]]) -> pa.RecordBatch:
    """Return entries of line, item id and title as Arrow."""
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    return pa.record_batch([pa.array(values, kind.type) for values, kind in zip(columns, TITLE_SCHEMA, strict=True)], schema=TITLE_SCHEMA)


def title_entry(record: Mapping[str, Any], names: TitleNames) -> tuple[str, str]:
    """Return one item's id and its title as published, empty if it has none. Raises Defect."""
    return identifier(value_of(record, names.item), "item"), title_text(value_of(record, names.title))


def _entry(line: bytes, names: TitleNames) -> tuple[str, str]:
    record: Any = None
    if not any(line.count(b'"%s"' % name.encode()) > 1 for name in (*names.item, *names.title)):  # of two the first counts
        with suppress(orjson.JSONDecodeError):
            record = orjson.loads(line)
    return title_entry(record if isinstance(record, dict) else parsed(line), names)
