"""JSON lines: handed on to DuckDB as they are, or parsed one by one with patience where something is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.errors import UserError
from tasks.ingest.defects import BAD_ENCODING, NOT_OBJECT, OVER_LONG, Defect, Tally
from tasks.ingest.field_hints import LITERAL_STARTS, list_to_lines, other_edition
from tasks.ingest.json_objects import parsed_json, python_literal
from tasks.ingest.lines import Block, text_blocks
from tasks.ingest.parquet_tables import suggestion
from tasks.ingest.rows import Batch, FieldNames, checked_row, has_field
from tasks.ingest.source_file import SourceFile
from tasks.warehouse import integers

LINE_SCHEMA = pa.schema([("line", pa.int64()), ("content", pa.string())])
ROW_COLUMNS = ("user_id", "item_id", "rating", "text", "timestamp")
_PROBE = 1000  # objects looked at before a field is said to be missing from the file


def json_contents(file: SourceFile, names: FieldNames, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the lines that are not empty, with their numbers; lines that are no UTF-8 or too long are noted in `tally`.

    Raises:
        UserError: the file holds one JSON array, or none of its first objects has one of the
            fields.
    """
    for block in _checked_blocks(file, names, tally):
        for number in block.over_long:
            tally.reject(number, Defect(OVER_LONG))
        data = _utf8(block, tally)
        ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        content = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(data))
        batch = pa.record_batch(
            [integers(np.arange(block.first, block.first + len(ends))), content], schema=LINE_SCHEMA
        )
        filled = np.diff(offsets) > 1
        yield batch if filled.all() else batch.take(integers(np.flatnonzero(filled)))


def json_reviews(
    file: SourceFile, names: FieldNames, scale: tuple[float, float], tally: Tally
) -> Iterator[Batch]:
    """Yield the usable reviews of a file, parsed in Python, and note the other lines in `tally`.

    Raises as `json_contents`.
    """
    for block in _checked_blocks(file, names, tally):
        for number in block.over_long:
            tally.reject(number, Defect(OVER_LONG))
        tally.lines += len(block.over_long)
        batch = Batch()
        for number, line in enumerate(block.lines(), block.first):
            if line.strip():
                tally.lines += 1
                try:
                    batch.add(number, checked_row(parsed(line), names, scale))
                except Defect as defect:
                    tally.reject(number, defect)
        yield batch


def checked_line(
    number: int, line: str, names: FieldNames, scale: tuple[float, float], tally: Tally
) -> dict[str, Any]:
    """Return a line's values by column of `raw_reviews`; all None if it is blank or was rejected and noted in `tally`."""
    try:
        row = checked_row(parsed(line.encode()), names, scale) if line.strip() else None
    except Defect as defect:
        tally.reject(number, defect)
        row = None
    return {name: getattr(row, name, None) for name in ROW_COLUMNS}


def parsed(line: bytes) -> dict[str, Any]:
    """Parse one line patiently: JSON with raw control characters, NaN or huge numbers, or a Python dict literal.

    Of a key that stands there twice the first value counts, as DuckDB has it. Raises Defect.
    """
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None
    text = text[:-1] if text.endswith("},") else text  # the lines of an array
    record = parsed_json(text)
    if record is None:
        record = python_literal(text)
    if not isinstance(record, dict):
        raise Defect(NOT_OBJECT, f"a {type(record).__name__}")
    return record


def refuse_other_json(file: SourceFile, block: Block) -> None:
    """Raise UserError when a file does not begin as JSON lines: one array, an object over many lines, one endless line, Parquet."""
    start = block.data.lstrip()[:64]
    if 1 in block.over_long:
        raise UserError(
            f"{file} begins with a line of megabytes; JSON lines are needed, one object a line (`jq -c '.[]'` makes them)"
        )
    if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"", b"{"):
        raise UserError(
            f"{file} is one JSON array; JSON lines are needed, one object a line (`jq -c '.[]'` makes them)"
        )
    if start.startswith(b"PAR1"):
        raise UserError(
            f"{file} is a Parquet file: format columns reads those, with the names of its columns"
        )
    if re.match(rb"\{\s*\n", start):
        raise UserError(
            f"{file} holds JSON over many lines; JSON lines are needed, one object a line (`jq -c .` makes them)"
        )


def _checked_blocks(file: SourceFile, names: FieldNames, tally: Tally) -> Iterator[Block]:
    """Yield a file's blocks once the first objects have shown that it has all fields."""
    probed: list[Mapping[str, Any]] = []
    for block in text_blocks(file, tally):
        if block.first == 1:
            refuse_other_json(file, block)
        if len(probed) < _PROBE:
            probed.extend(_objects(block.lines()[:_PROBE]))
            _check_fields(file, names.required(), probed)
        yield block


def _check_fields(
    file: SourceFile, required: Mapping[str, tuple[str, ...]], records: list[Mapping[str, Any]]
) -> None:
    """Raise UserError when no record has one of the required fields, naming those missing, those found and what may be meant."""
    missing = {
        what: names
        for what, names in required.items()
        if not any(has_field(record, name) for record in records for name in names)
    }
    if records and missing:
        found = sorted({str(key) for record in records for key in record})
        told = ", ".join(f"{what} ({' or '.join(names)})" for what, names in missing.items())
        names = [name for group in missing.values() for name in group]
        literals = file.head.lstrip().startswith(LITERAL_STARTS)
        hint = (
            other_edition(found)
            or list_to_lines(names, records, literals=literals)
            or suggestion(names, found)
        )
        raise UserError(
            f"{file} has no field for {told}; it has: {', '.join(name[:40] for name in found[:30])}{hint}"
        )
    if len(records) == 1 and all(isinstance(value, dict) for value in records[0].values()):
        raise UserError(
            f"{file} is one table by columns: write its rows, with pandas `to_json(path, orient='records', lines=True)`"
        )


def _objects(lines: list[bytes]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            if line.strip():
                yield parsed(line)
        except Defect:
            continue


def _utf8(block: Block, tally: Tally) -> bytes:
    """Return the block's lines, those that are no UTF-8 emptied and noted."""
    if block.valid:
        return block.data
    lines = block.lines()
    for at, line in enumerate(lines):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            lines[at] = b""
            tally.reject(block.first + at, Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}"))
    return b"\n".join(lines) + b"\n"
