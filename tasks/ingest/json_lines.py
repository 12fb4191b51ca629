"""Reviews in JSON lines: a fast way for lines as they should be, a patient one that finds out what is wrong with the others."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from tasks.errors import UserError
from tasks.ingest.lines import Lines, numbered_lines
from tasks.ingest.rows import (
    BAD_ENCODING,
    BROKEN,
    NOT_OBJECT,
    OVER_LONG,
    Batch,
    Defect,
    FieldNames,
    Tally,
    checked_row,
)

_PROBE = 1000  # objects looked at before a field is said to be missing from the file


def json_reviews(path: Path, names: FieldNames, scale: tuple[float, float], tally: Tally) -> Iterator[Batch]:
    """Yield the usable reviews of a file and note the other lines in `tally`.

    Raises:
        UserError: the file holds one JSON array, or none of its first objects has one of the fields.
    """
    probed: list[Mapping[str, Any]] = []
    for group in numbered_lines(path):
        if group.first == 1:
            refuse_array(path, group)
        if len(probed) < _PROBE:
            probed.extend(_objects(group)[: _PROBE - len(probed)])
            check_fields(path, names.required(), probed)
        yield _batch(group, names, scale, tally)


def refuse_array(path: Path, group: Lines) -> None:
    """Raise UserError when a file begins as one JSON array instead of one object a line."""
    start = next((line.strip() for line in group.lines if line.strip()), b"")
    if start.startswith(b"[") and start[1:2] in (b"", b"{", b" "):
        raise UserError(f"{path} is one JSON array; JSON lines are needed, one object a line (`jq -c '.[]'` makes them)")


def check_fields(path: Path, required: Mapping[str, tuple[str, ...]], records: list[Mapping[str, Any]]) -> None:
    """Raise UserError when no record has one of the required fields, naming those missing and those found."""
    found = sorted({str(key) for record in records for key in record})
    missing = [f"{what} ({' or '.join(names)})" for what, names in required.items() if not any(name in found for name in names)]
    if records and missing:
        raise UserError(f"{path} has no field for {', '.join(missing)}; it has: {', '.join(name[:40] for name in found[:30])}")


def parsed(line: bytes) -> dict[str, Any]:
    """Parse one line patiently: JSON with raw control characters, NaN or huge numbers, or a Python dict literal. Raises Defect."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None
    try:
        record = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        record = _python_literal(text)
    if not isinstance(record, dict):
        raise Defect(NOT_OBJECT, f"a {type(record).__name__}")
    return record


def _python_literal(text: str) -> Any:
    """Read a Python literal, the way the 2014 metadata is written. Raises Defect."""
    if not text.lstrip().startswith("{'"):
        raise Defect(BROKEN, "not JSON")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise Defect(BROKEN, "neither JSON nor a Python literal") from None


def _objects(group: Lines) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for line in group.lines[:_PROBE]:
        try:
            if line.strip():
                found.append(parsed(line))
        except Defect:
            continue
    return found


def _batch(group: Lines, names: FieldNames, scale: tuple[float, float], tally: Tally) -> Batch:
    """Check one group of lines: what is of the expected types and plainly good is taken at once, the rest is looked at closely."""
    batch = Batch()
    low, high = scale
    user_name, item_name, rating_name, text_name = names.user[0], names.item[0], names.rating[0], names.text[0]
    plain = names.timestamp is not None and names.title is None
    time_name = names.timestamp[0] if names.timestamp else ""
    over_long = set(group.over_long)
    blank = 0
    for number, line in enumerate(group.lines, group.first):
        try:
            record = orjson.loads(line)
            user, item, rating, text, at = record[user_name], record[item_name], record[rating_name], record[text_name], record[time_name]
            good = plain and type(rating) is float and low <= rating <= high and type(at) is int and 0 < at < 100_000_000_000
            good = good and user.isalnum() and item.isalnum() and not text.isspace() and text != "" and b"\\u00" not in line
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            good = False
        if good:
            batch.line.append(number)
            batch.user_id.append(user)
            batch.item_id.append(item)
            batch.rating.append(rating)
            batch.text.append(text)
            batch.timestamp.append(at)
            batch.title.append(None)
        elif line.strip() or number in over_long:
            _look_closely(number, line, number in over_long, batch, names, scale, tally)
        else:
            blank += 1
    tally.lines += len(group.lines) - blank
    return batch


def _look_closely(
    number: int, line: bytes, over_long: bool, batch: Batch, names: FieldNames, scale: tuple[float, float], tally: Tally
) -> None:
    try:
        if over_long:
            raise Defect(OVER_LONG)
        batch.add(number, checked_row(parsed(line), names, scale))
    except Defect as defect:
        tally.reject(number, defect)
