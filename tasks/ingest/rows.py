"""Usable rows of reviews in columns, as every reader yields them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasks.ingest.defects import BAD_ENCODING, EMPTY_TEXT, MISSING, Defect
from tasks.ingest.field_values import (
    decode_bytes,
    is_blank,
    is_unicode,
    parse_id,
    parse_number,
    parse_rating,
    parse_time,
    parse_title,
    parse_user_id,
    replace_control,
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
    """The names of a source's fields, and how some of its values are written.

    Of the names of a value the first one present counts; None means that the source has no such
    value. `rating_values` are the ratings written as words; `unrated`, `anonymous` and `undated`
    are the ratings, users and times that mean none, with None for a blank. All words are as
    `plain_word` returns them. `timestamp_format` is a strptime format.
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
        """Return the numbers that mean another rating, or none."""
        numbers = map(parse_number, (*self.rating_values, *self.unrated))
        return [number for number in numbers if number is not None]


@dataclass(frozen=True)
class TitleNames:
    """The names of an item's id and title in a metadata file; the first one present counts."""

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
        """Return the columns as Arrow, in the order of `SCHEMA`, without titles."""
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
    user = parse_user_id(
        value_of(record, names.user), _allowed(record, names.user, names.anonymous)
    )
    item = parse_id(value_of(record, names.item), "item")
    stars = parse_rating(value_of(record, names.rating), scale, names.rating_values, names.unrated)
    timestamp = _moment(record, names)
    title = parse_title(value_of(record, names.title)) if names.title else ""
    text = decode_bytes(value_of(record, names.text))
    if text is None:
        raise Defect(EMPTY_TEXT)
    if not isinstance(text, str):
        raise Defect(MISSING, f"text is of type {type(text).__name__}")
    text = replace_control(text)
    if not text.strip():
        raise Defect(EMPTY_TEXT)
    if not all(map(is_unicode, (user, item, text, title))):
        raise Defect(BAD_ENCODING, "half a surrogate pair")
    return Row(user, item, stars, text, timestamp, title)


def _moment(record: Mapping[str, Any], names: FieldNames) -> int | None:
    if names.timestamp is None:
        return None
    undated = _allowed(record, names.timestamp, names.undated)
    return parse_time(value_of(record, names.timestamp), names.timestamp_format, undated)


def _allowed(
    record: Mapping[str, Any], fields: tuple[str, ...], words: frozenset[str | None]
) -> frozenset[str | None]:
    """Return the words that mean none: a blank may mean none, but an absent field is missing."""
    is_present = any(has_field(record, name) for name in fields)
    return words if is_present else words - {None}


def value_of(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the value of the first name that has one.

    `a.b` is b inside a, unless there is a field `a.b`. A blank text is no value, nor is NaN, which
    pandas writes for a missing one.
    """
    for name in names:
        value = record.get(name)
        if value is None and "." in name:
            value = _inner(record, name)
        if not is_blank(value):
            return value
    return None


def has_field(record: Mapping[str, Any], name: str) -> bool:
    """Return True if a record has a field of that name, empty or not."""
    outer, _, inner = name.rpartition(".")
    return name in record or (bool(outer) and inner in _mapping(_inner(record, outer)))


def _inner(record: Mapping[str, Any], name: str) -> Any:
    value: Any = record
    for part in name.split("."):
        value = _mapping(value).get(part)
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
