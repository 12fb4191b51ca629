"""The reader of each source format, and the names of the fields it reads."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Literal

import pyarrow as pa

from tasks.ingest.defects import Defect, Tally
from tasks.ingest.delimited import delimited_records
from tasks.ingest.field_hints import REVIEWS, TITLES
from tasks.ingest.items import json_titles, title_batch, title_entry
from tasks.ingest.json_lines import json_reviews
from tasks.ingest.parquet_tables import parquet_records
from tasks.ingest.rows import Batch, FieldNames, TitleNames, checked_row
from tasks.ingest.snap_reader import is_snap, snap_records
from tasks.ingest.source_file import SourceFile
from tasks.settings import Sources

Records = Iterator[tuple[int, dict[str, Any]]]
_READERS: dict[str, Callable[[SourceFile, Sequence[str], Tally], Records]] = {
    "parquet": parquet_records,
    "delimited": delimited_records,
    "snap": snap_records,
}
_PARQUET = b"PAR1"
_TABLE_BATCH = 2000


def field_names(sources: Sources) -> FieldNames:
    """Return where the reviews of these sources keep each value."""
    anonymous, undated = frozenset(sources.anonymous), frozenset(sources.undated)
    columns = sources.columns
    if columns is None:
        return replace(REVIEWS[sources.format], anonymous=anonymous, undated=undated)
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
        anonymous=anonymous,
        undated=undated,
    )


def detect_format(file: SourceFile) -> Literal["json", "parquet", "delimited", "snap"]:
    """Return the format of a table, by its first bytes."""
    if file.head.startswith(_PARQUET):
        return "parquet"
    start = file.head.lstrip()
    if start[:1] in (b"{", b"["):
        return "json"
    return "snap" if is_snap(start) else "delimited"


def is_json(file: SourceFile, sources: Sources) -> bool:
    """Return True if a file is read as JSON lines, as all Amazon editions are."""
    return sources.columns is None or detect_format(file) == "json"


def read_reviews(file: SourceFile, sources: Sources, tally: Tally) -> Iterator[Batch]:
    """Yield the usable reviews of one file.

    Raises UserError on a file that cannot be read or lacks a field.
    """
    names, scale = field_names(sources), sources.rating_scale
    if is_json(file, sources):
        yield from json_reviews(file, names, scale, tally)
        return
    wanted = [*chain.from_iterable(names.required().values()), *(names.title or ())]
    batch = Batch()
    for number, record in _READERS[detect_format(file)](file, wanted, tally):
        try:
            batch.add(number, checked_row(record, names, scale))
        except Defect as defect:
            tally.reject(number, defect)
        if len(batch.line) >= _TABLE_BATCH:
            yield batch
            batch = Batch()
    yield batch


def read_titles(
    file: SourceFile, sources: Sources, wanted: Container[str], tally: Tally
) -> Iterator[pa.RecordBatch]:
    """Yield item ids and their published titles of one metadata file.

    Items that are not wanted may be left out.

    Raises UserError as `read_reviews` does.
    """
    columns = sources.columns
    if columns is None:
        names = TITLES[sources.format]
    else:
        item = columns.metadata_item or columns.item
        names = TitleNames((item,), (columns.title or "title",))
    if is_json(file, sources):
        yield from json_titles(file, names, wanted, tally)
        return
    entries: list[tuple[int, str, str]] = []
    for number, record in _READERS[detect_format(file)](file, (*names.item, *names.title), tally):
        try:
            item_id, title = title_entry(record, names)
            entries.append((number, item_id, title))
        except Defect as defect:
            tally.reject(number, defect)
        if len(entries) >= _TABLE_BATCH:
            yield title_batch(entries)
            entries.clear()
    yield title_batch(entries)
