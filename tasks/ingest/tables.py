"""What a table is written in, and Parquet tables as records with the number of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import UserError
from tasks.ingest.defects import Tally
from tasks.ingest.unpacking import unpacked

_PARQUET = b"PAR1"


def table_kind(path: Path) -> Literal["json", "parquet", "delimited"]:
    """Tell by the first bytes what a table is written in. Raises UserError as `packing` does."""
    chunks = unpacked(path)
    head = b""
    while len(head) < 64 and (chunk := next(chunks, b"")):
        head += chunk
    if head.startswith(_PARQUET):
        return "parquet"
    return "json" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "delimited"


def parquet_records(path: Path, wanted: Sequence[str], tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a Parquet file; the line is the row's number, from 1. Raises UserError on missing columns or a damaged file."""
    try:
        table = pq.ParquetFile(path)
        inner = [table.schema.column(number).path for number in range(len(table.schema))]
        top = table.schema_arrow.names
        require_columns(path, wanted, [*top, *(name for name in inner if name not in top)])
        number = 0
        for batch in table.iter_batches(batch_size=4096, columns=list(dict.fromkeys(wanted))):
            for record in batch.to_pylist():
                number += 1
                tally.lines += 1
                yield number, record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged, it cannot be read as Parquet: {str(error).splitlines()[0][:160]}") from None


def require_columns(path: Path, wanted: Iterable[str], found: Sequence[str]) -> None:
    """Raise UserError when a table lacks columns, naming those missing and those found, or has one of them twice."""
    wanted = list(wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UserError(f"{path} has no column {', '.join(missing)}; it has: {', '.join(name[:40] for name in found[:30])}")
    if twice := [name for name in wanted if found.count(name) > 1]:
        raise UserError(f"{path} has two columns {twice[0]}: rename one of them")
