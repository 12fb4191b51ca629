"""What every reader of reviews yields: usable rows in columns, and the lines that are not usable with the kind of their defect."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

BROKEN = "broken_line"
NOT_OBJECT = "not_object"
MISSING = "missing_field"
BAD_RATING = "bad_rating"
OFF_SCALE = "off_scale"
BAD_TIMESTAMP = "bad_timestamp"
BAD_ENCODING = "bad_encoding"
OVER_LONG = "over_long"
DUPLICATE = "duplicate"
OTHER_EDITION = "other_edition"
EMPTY_TEXT = "empty_text"
HARMLESS = frozenset({DUPLICATE, OTHER_EDITION, EMPTY_TEXT})
"""Kinds that say nothing against the file: a second review of the same item or work, and one of which only the rating was written.
They are rejected and counted like the others but not held against `max_bad_share`."""

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
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973
_LAST_SECOND = 253_402_300_799  # the end of the year 9999


class Defect(Exception):
    """One source line cannot be used. `detail` names the field or the value's type; it never quotes a review."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail[:120]


@dataclass(frozen=True)
class FieldNames:
    """Where a source keeps each value: the names it may have, the first one present wins. None: the source has no such value."""

    user: tuple[str, ...]
    item: tuple[str, ...]
    rating: tuple[str, ...]
    text: tuple[str, ...]
    timestamp: tuple[str, ...] | None
    title: tuple[str, ...] | None = None

    def required(self) -> dict[str, tuple[str, ...]]:
        """Return the names a file must have, by what they stand for."""
        names = {"user": self.user, "item": self.item, "rating": self.rating, "text": self.text}
        return {**names, "timestamp": self.timestamp} if self.timestamp else names


@dataclass
class Tally:
    """What was seen in one file while it streamed by."""

    source_file: str
    lines: int = 0
    rejects: dict[int, tuple[str, str]] = field(default_factory=dict)

    def reject(self, line: int, defect: Defect) -> None:
        """Note a line that is not used; noting it twice is noting it once."""
        self.rejects[line] = (defect.kind, defect.detail)

    def kinds(self) -> Counter[str]:
        """Return how many lines were rejected, by kind."""
        return Counter(kind for kind, _ in list(self.rejects.values()))  # a copy, as DuckDB may be noting more in its threads


@dataclass
class Batch:
    """Usable rows in columns, in source order."""

    line: list[int] = field(default_factory=list)
    user_id: list[str] = field(default_factory=list)
    item_id: list[str] = field(default_factory=list)
    rating: list[float] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    timestamp: list[int | None] = field(default_factory=list)
    title: list[str | None] = field(default_factory=list)

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
        return pa.record_batch([pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


@dataclass(frozen=True)
class Row:
    """One usable review. `timestamp` is in seconds since 1970, UTC."""

    user_id: str
    item_id: str
    rating: float
    text: str
    timestamp: int | None
    title: str | None


def checked_row(record: Mapping[str, Any], names: FieldNames, scale: tuple[float, float]) -> Row:
    """Turn one source record into a row. Raises Defect."""
    user, item = identifier(_value(record, names.user), "user"), identifier(_value(record, names.item), "item")
    rating = _rating(_value(record, names.rating), scale)
    timestamp = seconds(_value(record, names.timestamp)) if names.timestamp else None
    title = _value(record, names.title) if names.title else None
    text = _value(record, names.text)
    if text is None or (isinstance(text, str) and not _CONTROL.sub(" ", text).strip()):
        raise Defect(EMPTY_TEXT)
    if not isinstance(text, str):
        raise Defect(MISSING, f"text is of type {type(text).__name__}")
    row = Row(user, item, rating, without_control(text), timestamp, without_control(title) if isinstance(title, str) else None)
    if any(not _is_unicode(value) for value in (row.user_id, row.item_id, row.text, row.title or "")):
        raise Defect(BAD_ENCODING, "half a surrogate pair")
    return row


def without_control(text: str) -> str:
    """Replace control characters other than tab and line ends by spaces."""
    return _CONTROL.sub(" ", text)


def seconds(value: Any) -> int:
    """Read unix seconds, unix milliseconds or an ISO date (UTC where it names no zone) as unix seconds. Raises Defect."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Defect(MISSING, "timestamp")
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    number = _number(value)
    if number is None:
        try:
            moment = datetime.fromisoformat(str(value).strip())
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            raise Defect(BAD_TIMESTAMP, "neither a number nor an ISO date") from None
    found = math.floor(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number)
    if abs(found) > _LAST_SECOND:
        raise Defect(BAD_TIMESTAMP, "after the year 9999")
    return found


def _value(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def identifier(value: Any, what: str) -> str:
    """Return a user's or item's id as text, numbers included, without control characters. Raises Defect."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Defect(MISSING, what if value is None else f"{what} is of type {type(value).__name__}")
    cleaned = " ".join(_CONTROL.sub(" ", str(value)).split())
    if not cleaned:
        raise Defect(MISSING, what)
    return cleaned


def _rating(value: Any, scale: tuple[float, float]) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Defect(MISSING, "rating")
    number = _number(value)
    if number is None:
        raise Defect(BAD_RATING, f"not a finite number, of type {type(value).__name__}")
    if not scale[0] <= number <= scale[1]:
        raise Defect(OFF_SCALE, f"outside {scale[0]:g} to {scale[1]:g}")
    return number


def _number(value: Any) -> float | None:
    """Return a finite number, also when it is written as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text) if not text.isascii() else True
