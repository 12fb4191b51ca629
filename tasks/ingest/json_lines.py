"""JSON lines: handed on to DuckDB as they are, or parsed one by one with patience where something is wrong with them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.errors import UserError
from tasks.ingest.amazon import REVIEWS
from tasks.ingest.defects import BAD_ENCODING, BROKEN, NOT_OBJECT, OVER_LONG, Defect, Tally
from tasks.ingest.lines import Block, numbered_blocks
from tasks.ingest.rows import Batch, FieldNames, checked_row, has_field
from tasks.ingest.tables import meant
from tasks.warehouse import integers

LINE_SCHEMA = pa.schema([("line", pa.int64()), ("content", pa.string())])
ROW_COLUMNS = ("user_id", "item_id", "rating", "text", "timestamp")
_PROBE = 1000  # objects looked at before a field is said to be missing from the file


def json_contents(path: Path, names: FieldNames, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the lines that are not empty, with their numbers; lines that are no UTF-8 or too long are noted in `tally`.

    Raises:
        UserError: the file holds one JSON array, or none of its first objects has one of the fields.
    """
    for block in _checked_blocks(path, names):
        for number in block.over_long:
            tally.reject(number, Defect(OVER_LONG))
        data = _utf8(block, tally)
        ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        content = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(data))
        batch = pa.record_batch([integers(np.arange(block.first, block.first + len(ends))), content], schema=LINE_SCHEMA)
        filled = np.diff(offsets) > 1
        yield batch if filled.all() else batch.take(integers(np.flatnonzero(filled)))


def json_reviews(path: Path, names: FieldNames, scale: tuple[float, float], tally: Tally) -> Iterator[Batch]:
    """Yield the usable reviews of a file, parsed in Python, and note the other lines in `tally`. Raises as `json_contents`."""
    for block in _checked_blocks(path, names):
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


def checked_line(number: int, line: str, names: FieldNames, scale: tuple[float, float], tally: Tally) -> dict[str, Any]:
    """Return a line's values by column of `raw_reviews`; all None if it is blank or was rejected and noted in `tally`."""
    try:
        row = checked_row(parsed(line.encode()), names, scale) if line.strip() else None
    except Defect as defect:
        tally.reject(number, defect)
        row = None
    return {name: getattr(row, name, None) for name in ROW_COLUMNS}


def parsed(line: bytes) -> dict[str, Any]:
    """Parse one line patiently: JSON with raw control characters, NaN or huge numbers, or a Python dict literal. Raises Defect."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None
    try:
        record = json.loads(text.removeprefix("\ufeff"), strict=False)  # files that were joined have the mark in between
    except (ValueError, RecursionError):
        record = _python_literal(text)
    if not isinstance(record, dict):
        raise Defect(NOT_OBJECT, f"a {type(record).__name__}")
    return record


def refuse_other_json(path: Path, block: Block) -> None:
    """Raise UserError when a file does not begin as JSON lines: one array, an object over many lines, one endless line, Parquet."""
    start = block.data.lstrip()[:64]
    if 1 in block.over_long:
        raise UserError(f"{path} begins with a line of megabytes; JSON lines are needed, one object a line (`jq -c '.[]'` makes them)")
    if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"", b"{"):
        raise UserError(f"{path} is one JSON array; JSON lines are needed, one object a line (`jq -c '.[]'` makes them)")
    if start.startswith(b"PAR1"):
        raise UserError(f"{path} is a Parquet file: format columns reads those, with the names of its columns")
    if re.match(rb"\{\s*\n", start):
        raise UserError(f"{path} holds JSON over many lines; JSON lines are needed, one object a line (`jq -c .` makes them)")


def _checked_blocks(path: Path, names: FieldNames) -> Iterator[Block]:
    """Yield a file's blocks once the first objects have shown that it has all fields."""
    probed: list[Mapping[str, Any]] = []
    for block in numbered_blocks(path):
        if block.first == 1:
            refuse_other_json(path, block)
        if len(probed) < _PROBE:
            probed.extend(_objects(block.lines()[:_PROBE]))
            _check_fields(path, names.required(), probed)
        yield block


def _check_fields(path: Path, required: Mapping[str, tuple[str, ...]], records: list[Mapping[str, Any]]) -> None:
    """Raise UserError when no record has one of the required fields, naming those missing, those found and what may be meant."""
    missing = {what: names for what, names in required.items() if not any(has_field(record, name) for record in records for name in names)}
    if records and missing:
        found = sorted({str(key) for record in records for key in record})
        told = ", ".join(f"{what} ({' or '.join(names)})" for what, names in missing.items())
        raise UserError(
            f"{path} has no field for {told}; it has: {', '.join(name[:40] for name in found[:30])}{_meant(missing, found, records)}"
        )
    if len(records) == 1 and all(isinstance(value, dict) for value in records[0].values()):
        raise UserError(f"{path} is one table by columns: write its rows, with pandas `to_json(path, orient='records', lines=True)`")


def _meant(missing: Mapping[str, tuple[str, ...]], found: list[str], records: list[Mapping[str, Any]]) -> str:
    """Return the way out: another edition of Amazon's, a list that must be taken apart, or other names."""
    for edition, names in REVIEWS.items():
        if all(set(group) & set(found) for group in names.required().values()):
            return f" (as format {edition} has)"
    inner = {name.rpartition(".")[2] for names in missing.values() for name in names}
    entries = ((key, value[0]) for record in records for key, value in record.items() if isinstance(value, list) and value)
    for key, entry in entries:
        if isinstance(entry, dict) and inner & entry.keys():
            taken = f"(`jq -c '. + .{key}[] | del(.{key})'` does so)" if key.isidentifier() else ""
            return f"; `{key[:40]}` is a list: each of its entries must be a line of its own {taken}"
    return meant([name for names in missing.values() for name in names], found)


def _objects(lines: list[bytes]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            if line.strip():
                yield parsed(line)
        except Defect:
            continue


def _utf8(block: Block, tally: Tally) -> bytes:
    """Return the block's lines, those that are no UTF-8 emptied and noted."""
    if block.data.isascii():
        return block.data
    try:
        block.data.decode("utf-8")
        return block.data
    except UnicodeDecodeError:
        lines = block.lines()
    for at, line in enumerate(lines):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            lines[at] = b""
            tally.reject(block.first + at, Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}"))
    return b"\n".join(lines) + b"\n"


def _python_literal(text: str) -> Any:
    """Read a Python literal, the way the 2014 metadata and many a crawl are written. Raises Defect."""
    if not text.lstrip().startswith(("{'", "{u'")):
        raise Defect(BROKEN, "not JSON")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise Defect(BROKEN, "neither JSON nor a Python literal") from None
