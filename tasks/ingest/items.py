"""The `items` table: the reviewed items that have a title, as published and as cleaned."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
import orjson
import pyarrow as pa
from duckdb.sqltypes import VARCHAR

from tasks.ingest.defects import OVER_LONG, Defect, Tally
from tasks.ingest.field_values import parse_id, parse_title
from tasks.ingest.json_lines import parse_line, refuse_other_json
from tasks.ingest.lines import text_blocks
from tasks.ingest.rows import TitleNames, value_of
from tasks.ingest.source_file import SourceFile
from tasks.titles import clean_title, folded_key
from tasks.warehouse import sql_function, strings

MAX_TITLE = 400
"""Characters of the longest title; some metadata holds whole pages in place of one."""
_CLEAN = """
CREATE OR REPLACE TEMP TABLE cleaned_titles AS
WITH reviewed AS (SELECT DISTINCT item_id FROM raw_reviews),
titled AS (
    SELECT item_id, arg_min(title, (file_order, line)) AS title
    FROM published_titles
    WHERE trim(title) <> ''
    GROUP BY item_id
)
SELECT item_id, titled.title AS published, clean(titled.title) AS title
FROM reviewed
LEFT JOIN titled USING (item_id)
"""
_FILL = """
INSERT INTO items
WITH keyed AS (
    SELECT *, CASE WHEN $merge THEN folded(title) END AS key
    FROM cleaned_titles
)
SELECT
    item_id,
    coalesce(title, item_id),
    coalesce(published, item_id),
    CASE WHEN key IS NULL THEN item_id ELSE min(item_id) OVER (PARTITION BY key) END
FROM keyed
WHERE title IS NOT NULL OR $id_as_title
ORDER BY item_id
"""


def fill_items(con: duckdb.DuckDBPyConnection, *, id_as_title: bool, merge_editions: bool) -> int:
    """Fill `items` from `raw_reviews` and `published_titles`; return the number without a title.

    Items without a title are left out, or with `id_as_title` have their id as title. `work_id` is
    the item's own id; with `merge_editions`, that of the first item, by id, whose title has the
    same `folded_key`. Titles pass through Python a few thousand at a time.
    """
    with _text_function(con, _usable_title) as clean, _text_function(con, folded_key) as folded:
        con.execute(_CLEAN.replace("clean(", f"{clean}("))
        choices = {"merge": merge_editions, "id_as_title": id_as_title}
        con.execute(_FILL.replace("folded(", f"{folded}("), choices)
    (untitled,) = con.execute("SELECT count(*) - count(title) FROM cleaned_titles").fetchall()[0]
    con.execute("DROP TABLE cleaned_titles")
    return int(untitled)


def _usable_title(published: str) -> str | None:
    """Return a title as cleaned, None if nothing is left of it or it is too long."""
    title = clean_title(published)
    return title if title and len(title) <= MAX_TITLE else None


@contextmanager
def _text_function(
    con: duckdb.DuckDBPyConnection, function: Callable[[str], str | None]
) -> Iterator[str]:
    """Let SQL call a function of one text; NULL stays NULL. Yields its name in SQL."""

    def apply(texts: pa.ChunkedArray) -> pa.StringArray:
        return strings([text and function(text) for text in texts.to_pylist()])

    with sql_function(con, apply, [VARCHAR], VARCHAR, arrow=True) as name:
        yield name


TITLE_SCHEMA = pa.schema([("line", pa.int64()), ("item_id", pa.string()), ("title", pa.string())])

_LITERAL_START = re.compile(rb"\{'asin': '([A-Za-z0-9]+)'")


def json_titles(
    file: SourceFile, names: TitleNames, wanted: Container[str], tally: Tally
) -> Iterator[pa.RecordBatch]:
    """Yield item ids with their titles as published, empty where there is none.

    Items that are not wanted may be left out, where looking at them would take long.

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
                if entry:
                    entries.append((number, *entry))
            except Defect as defect:
                tally.reject(number, defect)
        yield title_batch(entries)


def _is_unwanted(line: bytes, wanted: Container[str]) -> bool:
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
