"""Which reader a source needs, and under which names its values stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa

from tasks.ingest.defects import Defect, Tally
from tasks.ingest.delimited import delimited_records
from tasks.ingest.field_hints import REVIEWS, TITLES
from tasks.ingest.items import json_titles, title_batch, title_entry
from tasks.ingest.json_lines import json_reviews
from tasks.ingest.parquet_tables import parquet_records
from tasks.ingest.rows import Batch, FieldNames, TitleNames, checked_row
from tasks.ingest.snap_reader import block_records, in_blocks
from tasks.ingest.source_file import SourceFile
from tasks.settings import Sources

Records = Iterator[tuple[int, dict[str, Any]]]
_READERS: dict[str, Callable[[SourceFile, Sequence[str], Tally], Records]] = {
    "parquet": parquet_records,
    "delimited": delimited_records,
    "blocks": block_records,
}
_PARQUET = b"PAR1"
_TABLE_BATCH = 2000


def field_names(sources: Sources) -> FieldNames:
    """Return where the reviews of these sources keep each value."""
    nobody, never = frozenset(sources.anonymous), frozenset(sources.undated)
    columns = sources.columns
    if columns is None:
        return replace(REVIEWS[sources.format], anonymous=nobody, undated=never)
    return FieldNames(
        user=(columns.user,),
        item=(columns.item,),
        rating=(columns.rating,),
        text=(columns.text,),
        timestamp=(columns.timestamp,) if columns.timestamp else None,
        title=(columns.title,) if columns.title and not sources.metadata else None,
        rating_values=columns.rating_values,
        unrated=frozenset(columns.unrated),
        timestamp_format=columns.timestamp_format,
        anonymous=nobody,
        undated=never,
    )


def table_kind(file: SourceFile) -> Literal["json", "parquet", "delimited", "blocks"]:
    """Tell by the first bytes what a table is written in."""
    if file.head.startswith(_PARQUET):
        return "parquet"
    start = file.head.lstrip()
    return "json" if start[:1] in (b"{", b"[") else "blocks" if in_blocks(start) else "delimited"


def in_json(file: SourceFile, sources: Sources) -> bool:
    """Tell whether a file is read as JSON lines, as all Amazon editions are."""
    return sources.columns is None or table_kind(file) == "json"


def reviews_of(file: SourceFile, sources: Sources, tally: Tally) -> Iterator[Batch]:
    """Yield the usable reviews of one file.

    Raises UserError on a file that cannot be read or lacks a field.
    """
    names, scale = field_names(sources), sources.rating_scale
    if in_json(file, sources):
        yield from json_reviews(file, names, scale, tally)
        return
    wanted = [name for group in (*names.required().values(), names.title or ()) for name in group]
    batch = Batch()
    for number, record in _READERS[table_kind(file)](file, wanted, tally):
        try:
            batch.add(number, checked_row(record, names, scale))
        except Defect as defect:
            tally.reject(number, defect)
        if len(batch.line) >= _TABLE_BATCH:
            yield batch
            batch = Batch()
    yield batch


def titles_of(
    file: SourceFile, sources: Sources, wanted: Set[str], tally: Tally
) -> Iterator[pa.RecordBatch]:
    """Yield the wanted item ids and their published titles of one metadata file.

    Raises UserError as `reviews_of` does.
    """
    columns = sources.columns
    own = columns and TitleNames(
        (columns.metadata_item or columns.item,), (columns.title or "title",)
    )
    names = own or TITLES[sources.format]
    if in_json(file, sources):
        yield from json_titles(file, names, wanted, tally)
        return
    found: list[tuple[int, str, str]] = []
    for number, record in _READERS[table_kind(file)](file, (*names.item, *names.title), tally):
        try:
            entry = title_entry(record, names)
            if entry[0] in wanted:
                found.append((number, *entry))
        except Defect as defect:
            tally.reject(number, defect)
    yield title_batch(found)
