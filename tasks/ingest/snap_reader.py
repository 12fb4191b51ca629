"""Reviews as SNAP publishes them: blocks of `key: value` lines, with a blank line between two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.ingest.defects import BAD_ENCODING, OVER_LONG, Defect, Tally
from tasks.ingest.field_values import is_unicode
from tasks.ingest.lines import numbered_lines
from tasks.ingest.parquet_tables import require_columns
from tasks.ingest.source_file import SourceFile

_FIELD = re.compile(r"([A-Za-z]\w*/\w+):(?: |$)")


def is_snap(head: bytes) -> bool:
    """Return True if a file's first bytes look like a block."""
    first_line = head.decode("utf-8", "replace").partition("\n")[0]
    return _FIELD.match(first_line.strip()) is not None


def snap_records(
    file: SourceFile, wanted: Sequence[str], tally: Tally
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the blocks of a file with the number of the line that each begins on.

    Raises UserError when the first one lacks a wanted key.
    """
    checked = False
    for first, lines in _blocks(file, tally):
        tally.lines += 1
        if None in lines:
            tally.reject(first, Defect(OVER_LONG))
            continue
        record = _record([line for line in lines if line is not None])
        if not checked:
            require_columns(file, wanted, list(record))
            checked = True
        if not all(map(is_unicode, record.values())):
            tally.reject(first, Defect(BAD_ENCODING, "not UTF-8"))
            continue
        yield first, record


def _blocks(file: SourceFile, tally: Tally) -> Iterator[tuple[int, list[str | None]]]:
    first, gathered = 0, list[str | None]()
    for number, line in numbered_lines(file, tally):
        if line is None or line.strip():
            first = first if gathered else number
            gathered.append(line)
        elif gathered:
            yield first, gathered
            gathered = []
    if gathered:
        yield first, gathered


def _record(lines: Sequence[str]) -> dict[str, str]:
    """Return a block's values by key; a line without a key continues the value before it."""
    record: dict[str, str] = {}
    key = ""
    for line in lines:
        if field := _FIELD.match(line.strip()):
            key = field[1]
            record[key] = line.strip()[field.end() :]
        elif key:
            record[key] += "\n" + line.strip()
    return record
