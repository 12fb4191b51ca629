"""Which reader a source needs, and under which names its values stand."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

import pyarrow as pa

from tasks.ingest.defects import Defect, Tally
from tasks.ingest.delimited import delimited_records
from tasks.ingest.json_lines import json_reviews
from tasks.ingest.metadata import TitleNames, json_titles, title_batch, title_entry
from tasks.ingest.rows import Batch, FieldNames, checked_row
from tasks.ingest.tables import parquet_records, table_kind
from tasks.settings import Sources

_AMAZON_2014 = FieldNames(("reviewerID",), ("asin",), ("overall",), ("reviewText",), ("unixReviewTime",))
_AMAZON_2023 = FieldNames(("user_id",), ("parent_asin", "asin"), ("rating",), ("text",), ("timestamp",))
_TITLES_2014 = TitleNames(("asin",), ("title",))
_TITLES_2023 = TitleNames(("parent_asin", "asin"), ("title",))
_TABLE_BATCH = 2000


def field_names(sources: Sources) -> FieldNames:
    """Return where the reviews of these sources keep each value. 2018 has the names of 2014."""
    columns = sources.columns
    if columns is None:
        return _AMAZON_2023 if sources.format == "amazon_2023" else _AMAZON_2014
    title = (columns.title,) if columns.title and not sources.metadata else None
    timestamp = (columns.timestamp,) if columns.timestamp else None
    user, item, rating, text = ((name,) for name in (columns.user, columns.item, columns.rating, columns.text))
    return FieldNames(user, item, rating, text, timestamp, title, columns.rating_values, columns.timestamp_format)


def in_json(path: Path, sources: Sources) -> bool:
    """Tell whether a file is read as JSON lines, as all Amazon editions are. Raises UserError on a file that cannot be read."""
    return sources.columns is None or table_kind(path) == "json"


def reviews_of(path: Path, sources: Sources, tally: Tally) -> Iterator[Batch]:
    """Yield the usable reviews of one file. Raises UserError on a file that cannot be read or lacks a field."""
    names, scale = field_names(sources), sources.rating_scale
    if in_json(path, sources):
        yield from json_reviews(path, names, scale, tally)
        return
    kind = table_kind(path)
    wanted = [name for group in (*names.required().values(), names.title or ()) for name in group]
    batch = Batch()
    for number, record in (parquet_records if kind == "parquet" else delimited_records)(path, wanted, tally):
        try:
            batch.add(number, checked_row(record, names, scale))
        except Defect as defect:
            tally.reject(number, defect)
        if len(batch.line) >= _TABLE_BATCH:
            yield batch
            batch = Batch()
    yield batch


def titles_of(path: Path, sources: Sources, wanted: Set[str], tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the wanted item ids and their published titles of one metadata file. Raises UserError as `reviews_of` does."""
    columns = sources.columns
    names = _TITLES_2023 if sources.format == "amazon_2023" else _TITLES_2014
    if columns is not None:
        names = TitleNames((columns.metadata_item or columns.item,), (columns.title or "title",))
    if in_json(path, sources):
        yield from json_titles(path, names, wanted, tally)
        return
    found: list[tuple[int, str, str]] = []
    reader = parquet_records if table_kind(path) == "parquet" else delimited_records
    for number, record in reader(path, (*names.item, *names.title), tally):
        try:
            entry = title_entry(record, names)
            if entry[0] in wanted:
                found.append((number, *entry))
        except Defect as defect:
            tally.reject(number, defect)
    yield title_batch(found)
