"""Review and title tables in CSV, TSV or Parquet, read as records with the number of the line they stand on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import UserError
from tasks.ingest.lines import MAX_LINE, numbered_blocks
from tasks.ingest.rows import BAD_ENCODING, BROKEN, OVER_LONG, Defect, Tally
from tasks.ingest.unpacking import unpacked

_DELIMITERS = ",\t;|"
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
        require_columns(path, wanted, table.schema_arrow.names)
        number = 0
        for batch in table.iter_batches(batch_size=4096, columns=list(wanted)):
            for record in batch.to_pylist():
                number += 1
                tally.lines += 1
                yield number, record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged, it cannot be read as Parquet: {str(error).splitlines()[0][:160]}") from None


def delimited_records(path: Path, wanted: Sequence[str], tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV or TSV file with a header; the line is the one a row begins on.

    The delimiter is the one of comma, tab, semicolon and bar with which the header has most of the wanted names. Rows of another
    length than the header are noted in `tally`. Raises UserError on missing columns.
    """
    lines = _text_lines(path)
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: len(set(_split(header_line, mark)) & set(wanted)))
    header = _split(header_line, delimiter)
    require_columns(path, wanted, header)
    csv.field_size_limit(MAX_LINE)
    rows = csv.reader(lines, delimiter=delimiter)
    before = 1
    while True:
        number, values = before + rows.line_num, None
        try:
            values = next(rows)
            if values:
                tally.lines += 1
                yield number + 1, _record(header, values)
        except StopIteration:
            return
        except (csv.Error, Defect) as error:
            tally.lines += values is None
            defect = error if isinstance(error, Defect) else Defect(OVER_LONG if "limit" in str(error) else BROKEN, "not a CSV row")
            tally.reject(number + 1, defect)


def require_columns(path: Path, wanted: Iterable[str], found: Sequence[str]) -> None:
    """Raise UserError when a table lacks columns, naming those missing and those found."""
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UserError(f"{path} has no column {', '.join(missing)}; it has: {', '.join(name[:40] for name in found[:30])}")


def _record(header: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    if len(values) != len(header):
        raise Defect(BROKEN, f"{len(values)} fields where the header has {len(header)}")
    if any(not value.isascii() and any("\udc80" <= char <= "\udcff" for char in value) for value in values):
        raise Defect(BAD_ENCODING, "not UTF-8")
    return dict(zip(header, values, strict=True))


def _split(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _text_lines(path: Path) -> Iterator[str]:
    """Yield lines with their line feeds; bytes that are not UTF-8 become half surrogates, for the row to be found by them."""
    for block in numbered_blocks(path):
        for line in block.lines():
            yield line.decode("utf-8", "surrogateescape") + "\n"
