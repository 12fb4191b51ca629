"""The `items` table: the reviewed items that have a title, as published and as cleaned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from tasks.ingest.defects import OVER_LONG, Defect, Tally
from tasks.ingest.field_values import parse_id, parse_title
from tasks.ingest.json_lines import parse_line, refuse_other_json
from tasks.ingest.lines import text_blocks
from tasks.ingest.rows import TitleNames, value_of
from tasks.ingest.source_file import SourceFile
from tasks.titles import clean_title, folded_key
from tasks.warehouse import strings

MAX_TITLE = 400
"""Characters of the longest title; some metadata holds whole pages in place of one."""
_PUBLISHED = """
WITH reviewed AS (SELECT DISTINCT item_id FROM raw_reviews),
titled AS (
    SELECT item_id, arg_min(title, (file_order, line)) AS title
    FROM published_titles
    WHERE trim(title) <> ''
    GROUP BY item_id
)
SELECT item_id, titled.title
FROM reviewed
LEFT JOIN titled USING (item_id)
ORDER BY item_id
"""


def fill_items(con: duckdb.DuckDBPyConnection, *, id_as_title: bool, merge_editions: bool) -> int:
    """Fill `items` from `raw_reviews` and `published_titles`; return the number without a title.

    Items without a title are left out, or with `id_as_title` have their id as title. `work_id` is
    the item's own id; with `merge_editions`, that of the first item, by id, whose title has the
    same `folded_key`.
    """
    rows: list[tuple[str, str, str, str]] = []
    works: dict[str, str] = {}
    untitled = 0
    for item_id, published in con.execute(_PUBLISHED).fetchall():
        title = clean_title(published or "")
        title = title if len(title) <= MAX_TITLE else ""
        untitled += not title
        work_id = item_id
        if title and merge_editions:
            work_id = works.setdefault(folded_key(title), item_id)
        if title or id_as_title:
            rows.append((item_id, title or item_id, published or item_id, work_id))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    con.register(
        "cleaned",
        pa.table(
            [strings(values) for values in columns],
            names=["item_id", "title", "title_original", "work_id"],
        ),
    )
    con.execute("INSERT INTO items SELECT item_id, title, title_original, work_id FROM cleaned")
    con.unregister("cleaned")
    return untitled


TITLE_SCHEMA = pa.schema([("line", pa.int64()), ("item_id", pa.string()), ("title", pa.string())])

_LITERAL_START = re.compile(rb"\{'asin': '([A-Za-z0-9]+)'")


def json_titles(
    file: SourceFile, names: TitleNames, wanted: Set[str], tally: Tally
) -> Iterator[pa.RecordBatch]:
    """Yield the wanted item ids with their titles as published, empty where there is none.

    Raises UserError on a JSON array.
    """
    for block in text_blocks(file, tally):
        if block.first == 1:
            refuse_other_json(file, block)
        for number in block.over_long:
            tally.lines += 1
            tally.reject(number, Defect(OVER_LONG))
        entries: list[tuple[int, str, str]] = []
        for number, line in enumerate(block.lines(), block.first):
            if not line.strip():
                continue
            tally.lines += 1
            try:
                entry = None if _is_unwanted(line, wanted) else _entry(line, names)
                if entry and entry[0] in wanted:
                    entries.append((number, *entry))
            except Defect as defect:
                tally.reject(number, defect)
        yield title_batch(entries)


def _is_unwanted(line: bytes, wanted: Set[str]) -> bool:
    """Return True if a Python literal, slow to parse, begins with the id of another item."""
    start = _LITERAL_START.match(line)
    return start is not None and start[1].decode() not in wanted


def title_batch(entries: list[tuple[int, str, str]]) -> pa.RecordBatch:
    """Return entries of line, item id and title as Arrow."""
    columns = list(zip(*entries, strict=True)) or [(), (), ()]
    return pa.record_batch(
        [pa.array(values, kind.type) for values, kind in zip(columns, TITLE_SCHEMA, strict=True)],
        schema=TITLE_SCHEMA,
    )


def title_entry(record: Mapping[str, Any], names: TitleNames) -> tuple[str, str]:
    """Return one item's id and its title as published, empty if it has none. Raises Defect."""
    item_id = parse_id(value_of(record, names.item), "item")
    return item_id, parse_title(value_of(record, names.title))


def _entry(line: bytes, names: TitleNames) -> tuple[str, str]:
    record: Any = None
    # orjson keeps the last value of a repeated key; `parse_line` keeps the first, as DuckDB does.
    keys = [b'"%s"' % name.encode() for name in (*names.item, *names.title)]
    if all(line.count(key) <= 1 for key in keys):
        with suppress(orjson.JSONDecodeError):
            record = orjson.loads(line)
    return title_entry(record if isinstance(record, dict) else parse_line(line), names)
