"""Parquet tables as records with the number of each row, and what is said of columns that are not there."""

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


def require_columns(file: SourceFile, wanted: Iterable[str], found: Sequence[str]) -> None:
    """Raise UserError when a table lacks columns, naming those missing and those found, or has one of them twice."""
    wanted = list(wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        told = ", ".join(name[:40] for name in found[:30])
        raise UserError(
            f"{file} has no column {', '.join(missing)}; it has: {told}{suggestion(missing, found)}"
        )
    if twice := [name for name in wanted if found.count(name) > 1]:
        raise UserError(f"{file} has two columns {twice[0]}: rename one of them")


def suggestion(missing: Sequence[str], found: Iterable[str]) -> str:
    """Return the way out of names that are not there: those that differ in capitals only, or else the setting that holds them."""
    found = list(found)
    if lists := {name.partition(".")[0] for name in missing} & {
        name.partition(".list.")[0] for name in found if ".list." in name
    }:
        return f"; {min(lists)} holds lists: each of their entries must be a row of its own"
    small = {name.casefold(): name for name in found}
    alike = [f"{small[name.casefold()]} for {name}" for name in missing if name.casefold() in small]
    return (
        f" (did you mean {', '.join(alike)}?)"
        if alike
        else "; `columns` says what they are called, with format columns"
    )
