"""Parquet tables as records with their row numbers, and messages about missing columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import UserError
from tasks.ingest.defects import Tally
from tasks.ingest.source_file import SourceFile


def parquet_records(
    file: SourceFile, wanted: Sequence[str], tally: Tally
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a Parquet file; the line is the row's number, from 1.

    Raises UserError on missing columns or a damaged file.
    """
    try:
        table = pq.ParquetFile(file.path)
        inner = [table.schema.column(number).path for number in range(len(table.schema))]
        top = table.schema_arrow.names
        require_columns(file, wanted, [*top, *(name for name in inner if name not in top)])
        number = 0
        for batch in table.iter_batches(batch_size=4096, columns=list(dict.fromkeys(wanted))):
            for record in batch.to_pylist():
                number += 1
                tally.lines += 1
                yield number, record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{file} is damaged, it cannot be read as Parquet: {str(error).splitlines()[0][:160]}"
        ) from None


def require_columns(file: SourceFile, wanted: Iterable[str], present: Sequence[str]) -> None:
    """Raise UserError if a table lacks a column, or has one of them twice."""
    wanted = list(wanted)
    missing = [name for name in wanted if name not in present]
    if missing:
        shown = ", ".join(name[:40] for name in present[:30])
        hint = column_hint(missing, present)
        raise UserError(f"{file} has no column {', '.join(missing)}; it has: {shown}{hint}")
    if twice := [name for name in wanted if present.count(name) > 1]:
        raise UserError(f"{file} has two columns {twice[0]}: rename one of them")


def column_hint(missing: Sequence[str], present: Iterable[str]) -> str:
    """Return what to do about missing names, as the end of a message."""
    present = list(present)
    lists = {name.partition(".list.")[0] for name in present if ".list." in name}
    nested = lists & {name.partition(".")[0] for name in missing}
    if nested:
        return f"; {min(nested)} holds lists: each of their entries must be a row of its own"
    by_lower_case = {name.casefold(): name for name in present}
    similar = [
        f"{by_lower_case[name.casefold()]} for {name}"
        for name in missing
        if name.casefold() in by_lower_case
    ]
    if similar:
        return f" (did you mean {', '.join(similar)}?)"
    return "; set their names under `columns`, with format columns"
