"""What every reader of reviews yields: usable rows in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasks.ingest.defects import BAD_ENCODING, EMPTY_TEXT, MISSING, Defect
from tasks.ingest.field_values import (
    identifier,
    is_blank,
    is_unicode,
    number,
    rating,
    seconds,
    textual,
    title_text,
    user_identifier,
    without_control,
)

SCHEMA = pa.schema(
    [
        ("line", pa.int64()),
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("rating", pa.float64()),
        ("text", pa.string()),
        ("timestamp", pa.int64()),
    ]
)


@dataclass(frozen=True)
class FieldNames:
    """Where a source keeps each value, and how it writes some of them.

    Each is a tuple of the names a value may have, the first one present wins; None: the source has
    no such value. `rating_values` are the ratings written as words; `unrated`, `anonymous` and
    `undated` are the ratings, users and moments that stand for none, None among them for a blank.
    All words are as `plain_word` gives them. `timestamp_format` is the strptime format of its
    moments.
    """

    user: tuple[str, ...]
    item: tuple[str, ...]
    rating: tuple[str, ...]
    text: tuple[str, ...]
    timestamp: tuple[str, ...] | None
    title: tuple[str, ...] | None = None
    rating_values: Mapping[str, float] = field(default_factory=dict)
    unrated: frozenset[str | None] = frozenset()
    timestamp_format: str | None = None
    anonymous: frozenset[str | None] = frozenset()
    undated: frozenset[str | None] = frozenset()

    def required(self) -> dict[str, tuple[str, ...]]:
        """Return the names a file must have, by what they stand for."""
        names = {"user": self.user, "item": self.item, "rating": self.rating, "text": self.text}
        return {**names, "timestamp": self.timestamp} if self.timestamp else names

    def spelled_numbers(self) -> list[float]:
        """Return the numbers that are no ratings themselves, but stand for another one or for none."""
        found = (number(word) for word in (*self.rating_values, *self.unrated))
        return [value for value in found if value is not None]


@dataclass(frozen=True)
class TitleNames:
    """The names of an item's id and title in a metadata file; the first one present wins."""

    item: tuple[str, ...]
    title: tuple[str, ...]


@dataclass
class Batch:
    """Usable rows in columns, in source order."""

    line: list[int] = field(default_factory=list)
    user_id: list[str] = field(default_factory=list)
    item_id: list[str] = field(default_factory=list)
    rating: list[float] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    timestamp: list[int | None] = field(default_factory=list)
    title: list[str] = field(default_factory=list)

    def add(self, line: int, row: Row) -> None:
        """Append one checked row."""
        self.line.append(line)
        self.user_id.append(row.user_id)
        self.item_id.append(row.item_id)
        self.rating.append(row.rating)
        self.text.append(row.text)
        self.timestamp.append(row.timestamp)
        self.title.append(row.title)

    def arrow(self) -> pa.RecordBatch:
        """Return the columns as Arrow, in the order of `SCHEMA`; titles stay behind."""
        columns = [self.line, self.user_id, self.item_id, self.rating, self.text, self.timestamp]
        return pa.record_batch(
            [pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)],
            schema=SCHEMA,
        )


@dataclass(frozen=True)
class Row:
    """One usable review. `timestamp` is in seconds since 1970, UTC."""

    user_id: str
    item_id: str
    rating: float
    text: str
    timestamp: int | None
    title: str


def checked_row(record: Mapping[str, Any], names: FieldNames, scale: tuple[float, float]) -> Row:
    """Turn one source record into a row. Raises Defect."""
    user = user_identifier(
        value_of(record, names.user), _allowed(record, names.user, names.anonymous)
    )
    item = identifier(value_of(record, names.item), "item")
    stars = rating(value_of(record, names.rating), scale, names.rating_values, names.unrated)
    timestamp = _moment(record, names)
    title = title_text(value_of(record, names.title)) if names.title else ""
    text = textual(value_of(record, names.text))
    if text is None or (isinstance(text, str) and not without_control(text).strip()):
        raise Defect(EMPTY_TEXT)
    if not isinstance(text, str):
        raise Defect(MISSING, f"text is of type {type(text).__name__}")
    row = Row(user, item, stars, without_control(text), timestamp, title)
    if not all(is_unicode(value) for value in (row.user_id, row.item_id, row.text, row.title)):
        raise Defect(BAD_ENCODING, "half a surrogate pair")
    return row


def _moment(record: Mapping[str, Any], names: FieldNames) -> int | None:
    if names.timestamp is None:
        return None
    undated = _allowed(record, names.timestamp, names.undated)
    return seconds(value_of(record, names.timestamp), names.timestamp_format, undated)


def _allowed(
    record: Mapping[str, Any], fields: tuple[str, ...], words: frozenset[str | None]
) -> frozenset[str | None]:
    """Return the words that stand for none.

    A field that is blank may stand for none, one that is not there is missing.
    """
    return (
        words
        if None not in words or any(has_field(record, name) for name in fields)
        else words - {None}
    )


def value_of(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the value under the first of the names that has one; `a.b` is b inside of a, unless there is an `a.b` itself.

    A blank text is no value, nor is NaN, which pandas writes where it has none.
    """
    for name in names:
        value = record.get(name)
        if value is None and "." in name:
            value = _inner(record, name)
        if not is_blank(value):
            return value
    return None


def has_field(record: Mapping[str, Any], name: str) -> bool:
    """Tell whether a record has a field of that name, empty or not."""
    outer, _, inner = name.rpartition(".")
    return name in record or (bool(outer) and inner in _mapping(_inner(record, outer)))


def _inner(record: Mapping[str, Any], name: str) -> Any:
    found: Any = record
    for part in name.split("."):
        found = _mapping(found).get(part)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
