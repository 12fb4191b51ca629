"""JSON lines: handed to DuckDB as they are, or parsed one by one where that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, product
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.errors import UserError
from tasks.ingest.defects import BAD_ENCODING, NOT_OBJECT, OVER_LONG, Defect, Tally
from tasks.ingest.field_hints import LITERAL_STARTS, edition_hint, list_hint
from tasks.ingest.json_objects import parse_json, parse_literal
from tasks.ingest.lines import Block, text_blocks
from tasks.ingest.parquet_tables import column_hint
from tasks.ingest.rows import Batch, FieldNames, checked_row, has_field
from tasks.ingest.source_file import SourceFile
from tasks.warehouse import integers

LINE_SCHEMA = pa.schema([("line", pa.int64()), ("content", pa.string())])
ROW_COLUMNS = ("user_id", "item_id", "rating", "text", "timestamp")
_PROBE = 1000  # objects looked at before a field is said to be missing from the file


def json_contents(file: SourceFile, names: FieldNames, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the lines that are not empty, with their numbers; unreadable ones go to `tally`.

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
                    batch.add(number, checked_row(parse_line(line), names, scale))
                except Defect as defect:
                    tally.reject(number, defect)
        yield batch


def checked_line(
    number: int, line: str, names: FieldNames, scale: tuple[float, float], tally: Tally
) -> dict[str, Any]:
    """Return a line's values by column of `raw_reviews`, all None if it is blank or rejected."""
    try:
        row = checked_row(parse_line(line.encode()), names, scale) if line.strip() else None
    except Defect as defect:
        tally.reject(number, defect)
        row = None
    return {name: getattr(row, name, None) for name in ROW_COLUMNS}


def parse_line(line: bytes) -> dict[str, Any]:
    """Parse a line of lenient JSON or a Python dict literal. Raises Defect.

    The JSON may have raw control characters, NaN or huge numbers. Of a repeated key the first
    value counts, as in DuckDB.
    """
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None
    # A line of an array ends with a comma.
    text = text[:-1] if text.endswith("},") else text
    record = parse_json(text)
    if record is None:
        record = parse_literal(text)
    if not isinstance(record, dict):
        raise Defect(NOT_OBJECT, f"a {type(record).__name__}")
    return record


def refuse_other_json(file: SourceFile, block: Block) -> None:
    """Raise UserError if a file does not begin as JSON lines."""
    start = block.data.lstrip()[:64]
    is_array = start.startswith(b"[") and start[1:].lstrip()[:1] in (b"", b"{")
    if 1 in block.over_long:
        problem = f"begins with a line of megabytes; {_need_lines('.[]')}"
    elif is_array:
        problem = f"is one JSON array; {_need_lines('.[]')}"
    elif start.startswith(b"PAR1"):
        problem = "is a Parquet file: format columns reads those, with the names of its columns"
    elif re.match(rb"\{\s*\n", start):
        problem = f"holds JSON over many lines; {_need_lines('.')}"
    else:
        return
    raise UserError(f"{file} {problem}")


def _need_lines(jq_filter: str) -> str:
    quoted = f"'{jq_filter}'" if "[" in jq_filter else jq_filter
    return f"JSON lines are needed, one object a line (`jq -c {quoted}` makes them)"


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
    """Raise UserError if no record has one of the required fields, with a hint what to do."""
    missing = {what: names for what, names in required.items() if not _is_present(names, records)}
    if records and missing:
        present = sorted(map(str, set().union(*records)))
        wanted = ", ".join(f"{what} ({' or '.join(names)})" for what, names in missing.items())
        names = list(chain.from_iterable(missing.values()))
        literals = file.head.lstrip().startswith(LITERAL_STARTS)
        hint = (
            edition_hint(present)
            or list_hint(names, records, literals=literals)
            or column_hint(names, present)
        )
        shown = ", ".join(name[:40] for name in present[:30])
        raise UserError(f"{file} has no field for {wanted}; it has: {shown}{hint}")
    if len(records) == 1 and all(isinstance(value, dict) for value in records[0].values()):
        raise UserError(
            f"{file} is one table by columns: write its rows, "
            "with pandas `to_json(path, orient='records', lines=True)`"
        )


def _is_present(names: tuple[str, ...], records: list[Mapping[str, Any]]) -> bool:
    return any(has_field(record, name) for record, name in product(records, names))


def _objects(lines: list[bytes]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        with suppress(Defect):
            if line.strip():
                yield parse_line(line)


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
