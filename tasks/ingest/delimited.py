"""CSV and TSV tables as records with the number of the line each begins on; a quote left open costs its own row, not the file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.ingest.defects import BAD_ENCODING, BROKEN, OVER_LONG, Defect, Tally
from tasks.ingest.lines import MAX_LINE, numbered_blocks
from tasks.ingest.tables import require_columns

_DELIMITERS = ",\t;|"
_TALLEST = 200  # lines a row may have; a quote that is not closed by then was not meant as one


def delimited_records(path: Path, wanted: Sequence[str], tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV or TSV file with a header; the line is the one a row begins on.

    The delimiter is the one of comma, tab, semicolon and bar with which the header has most of the wanted names. Rows that are no
    CSV or of another length than the header are noted in `tally`. Raises UserError on missing columns.
    """
    csv.field_size_limit(MAX_LINE)
    feed = _Feed(path)
    start = _first_line(feed, path)
    delimiter = max(_DELIMITERS, key=lambda mark: len(set(_names(start, mark)) & set(wanted)))
    header = _names(start, delimiter)
    require_columns(path, wanted, header)
    while True:
        try:
            values = _row(feed, delimiter)
            if values is None:
                return
            record = _record(header, values) if any(value.strip() for value in values) else None
        except Defect as defect:
            tally.lines += 1
            tally.reject(feed.first(), defect)
            continue
        if record is not None:
            tally.lines += 1
            yield feed.first(), record


def _row(feed: _Feed, delimiter: str) -> list[str] | None:
    """Return the next row's fields, None at the end. Raises Defect, and then gives back all lines of the row but its first.

    Quotes within a field are doubled; in a row that makes no sense so, they may stand behind a backslash, as Spark writes them.
    """
    for escape in (None, "\\"):
        feed.begin()
        try:
            return next(csv.reader(feed, delimiter=delimiter, escapechar=escape, strict=True), None)
        except Defect:
            feed.take_back(keep=1)
            raise
        except csv.Error:
            feed.take_back(keep=1 if escape else 0)
    raise Defect(BROKEN, "not a CSV row")


class _Feed:
    """Gives csv.reader one line after another, remembers those of the row being read, and can take all but the first of them back."""

    def __init__(self, path: Path) -> None:
        self._ahead: deque[tuple[int, str | None]] = deque()
        self._lines = _numbered_lines(path)
        self._row: list[tuple[int, str | None]] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if len(self._row) >= _TALLEST:
            raise Defect(BROKEN, f"a quote is not closed within {_TALLEST} lines")
        self._row.append(self._ahead.popleft() if self._ahead else next(self._lines))
        line = self._row[-1][1]
        if line is None:
            raise Defect(OVER_LONG)
        return line

    def begin(self) -> None:
        """Begin a new row."""
        self._row = []

    def first(self) -> int:
        """Return the number of the line the row begins on."""
        return self._row[0][0]

    def take_back(self, keep: int) -> None:
        """Give the row's lines after the first `keep` once more."""
        self._ahead.extendleft(reversed(self._row[keep:]))


def _numbered_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield lines with their line feeds, None for one that is too long.

    Bytes that are no UTF-8 become half surrogates, for the row to be found by them.
    """
    for block in numbered_blocks(path):
        over_long = set(block.over_long)
        for number, line in enumerate(block.lines(), block.first):
            yield number, None if number in over_long else line.decode("utf-8", "surrogateescape") + "\n"


def _first_line(feed: _Feed, path: Path) -> str:
    try:
        for line in feed:
            if "\r" in line.strip():
                raise UserError(f"{path} ends its lines with carriage returns alone: turn them into line feeds (`tr '\\r' '\\n'`)")
            if line.strip():
                return line
            feed.begin()
    except Defect:
        pass  # a first line of megabytes is no header either
    raise UserError(f"{path} has no header: its first line must name the columns")


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _record(header: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    while len(values) > len(header) and not values[-1]:
        values = values[:-1]  # a delimiter at the end of each row is none between two fields
    if len(values) != len(header):
        raise Defect(BROKEN, f"{len(values)} fields where the header has {len(header)}")
    if any(not value.isascii() and any("\udc80" <= char <= "\udcff" for char in value) for value in values):
        raise Defect(BAD_ENCODING, "not UTF-8")
    return dict(zip(header, values, strict=True))
