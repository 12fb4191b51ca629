"""CSV and TSV tables as records; an unclosed quote costs its own row, not the rest of the file."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from tasks.errors import UserError
from tasks.ingest.defects import BAD_ENCODING, BROKEN, OVER_LONG, Defect, Tally
from tasks.ingest.encodings import UTF_8, guess_encoding
from tasks.ingest.field_values import is_unicode
from tasks.ingest.lines import MAX_LINE, numbered_lines
from tasks.ingest.parquet_tables import require_columns
from tasks.ingest.source_file import SourceFile

_DELIMITERS = ",\t;|"
_SEPARATOR = re.compile("sep=.", re.IGNORECASE)  # for spreadsheets
# Characters of a column's name; a longer text may be a review, which no message quotes.
_MAX_NAME = 40
# Lines a row may have; a quote that is not closed by then does not open a field.
_MAX_ROW_LINES = 200


def delimited_records(
    file: SourceFile, wanted: Sequence[str], tally: Tally
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV or TSV file with a header; the line is the one a row begins on.

    The delimiter is the one of comma, tab, semicolon and bar with which the header has most of the
    wanted names. Rows that are not CSV or of another length than the header go to `tally`.
    Raises UserError on missing columns.
    """
    csv.field_size_limit(MAX_LINE)
    feed = _LineFeed(file, tally)
    start = _header_line(feed, file)
    delimiter = max(_DELIMITERS, key=lambda mark: len(set(_names(start, mark)) & set(wanted)))
    header = _names(start, delimiter)
    _check_header(file, wanted, header)
    dialects = _dialects(delimiter, spaced=delimiter + " " in start)
    feed.whole_row = (delimiter, len(header) - 1) if delimiter == "\t" else None
    while True:
        try:
            values = _row(feed, dialects)
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


def _dialects(delimiter: str, *, spaced: bool) -> list[dict[str, Any]]:
    """Return the csv dialects of a row, to be tried in turn.

    Quotes within a field are doubled, or escaped by a backslash as Spark writes them. With tabs,
    quotes are often ordinary characters.
    """
    quoted: dict[str, Any] = {
        "delimiter": delimiter,
        "strict": True,
        "skipinitialspace": spaced and delimiter != "\t",
    }
    unquoted: list[dict[str, Any]] = (
        [{"delimiter": delimiter, "quoting": csv.QUOTE_NONE}] if delimiter == "\t" else []
    )
    return [quoted, {**quoted, "escapechar": "\\"}, *unquoted]


def _row(feed: _LineFeed, dialects: Sequence[dict[str, Any]]) -> list[str] | None:
    """Return the next row's fields, None at the end.

    Raises Defect, and then pushes all lines of the row but its first back to the feed.
    """
    last_defect = Defect(BROKEN, "not a CSV row")
    for dialect in dialects:
        feed.begin()
        try:
            return next(csv.reader(feed, **dialect), None)
        except Defect as defect:
            last_defect = defect
        except csv.Error:
            pass
        feed.push_back(keep=0)
    feed.skip()
    raise last_defect


class _LineFeed:
    """Lines for csv.reader; those of the current row can be pushed back and read again."""

    def __init__(self, file: SourceFile, tally: Tally) -> None:
        self.whole_row: tuple[str, int] | None = None
        """The delimiter and its count by which a line is a row of its own, even after a quote."""
        self._pushed_back: deque[tuple[int, str | None]] = deque()
        self._lines = numbered_lines(file, tally)
        self._row: list[tuple[int, str | None]] = []

    def __iter__(self) -> _LineFeed:
        return self

    def __next__(self) -> str:
        if len(self._row) >= _MAX_ROW_LINES:
            raise Defect(BROKEN, f"a quote is not closed within {_MAX_ROW_LINES} lines")
        self._row.append(self._pushed_back.popleft() if self._pushed_back else next(self._lines))
        line = self._row[-1][1]
        if line is None:
            raise Defect(OVER_LONG)
        if len(self._row) > 1 and self._is_whole_row(line):
            raise Defect(BROKEN, "a quote is not closed before the next row")
        return line

    def _is_whole_row(self, line: str) -> bool:
        if self.whole_row is None:
            return False
        delimiter, count = self.whole_row
        return line.count(delimiter) == count

    def begin(self) -> None:
        """Begin a new row."""
        self._row = []

    def first(self) -> int:
        """Return the number of the line that the row begins on."""
        return self._row[0][0]

    def push_back(self, keep: int) -> None:
        """Read the row's lines after the first `keep` again."""
        self._pushed_back.extendleft(reversed(self._row[keep:]))
        self._row = self._row[:keep]

    def skip(self) -> None:
        """Skip the next line, which becomes the row."""
        self.begin()
        self._row.append(self._pushed_back.popleft())


def _header_line(feed: _LineFeed, file: SourceFile) -> str:
    """Return the line that names the columns: the first that is not blank nor `sep=`."""
    # A first line of megabytes raises Defect; it is no header either.
    with suppress(Defect):
        for line in feed:
            if line.strip() and not _SEPARATOR.fullmatch(line.strip()):
                _check_encoding(line, file)
                return line
            feed.begin()
    raise UserError(f"{file} has no header: its first line must name the columns")


def _check_encoding(line: str, file: SourceFile) -> None:
    if not is_unicode(line):
        guess = guess_encoding(line.encode(UTF_8, "surrogateescape"))
        raise UserError(f"{file} is not {file.encoding.upper()}: {guess.hint()}")


def _check_header(file: SourceFile, wanted: Sequence[str], header: Sequence[str]) -> None:
    lower_case = {name.casefold() for name in header}
    if not any(name.casefold() in lower_case for name in wanted):
        shown = ", ".join(map(_shown_name, header[:30]))
        raise UserError(
            f"{file} has no column {', '.join(wanted)}: its first line must name the columns, "
            f"separated by commas, tabs, semicolons or bars; it reads: {shown}"
        )
    require_columns(file, wanted, header)


def _shown_name(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"({len(name)} characters)"


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _record(header: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    # A delimiter at the end of a row separates no field.
    while len(values) > len(header) and not values[-1]:
        values = values[:-1]
    if len(values) != len(header):
        raise Defect(BROKEN, f"{len(values)} fields where the header has {len(header)}")
    if not all(map(is_unicode, values)):
        raise Defect(BAD_ENCODING, "not UTF-8")
    return dict(zip(header, values, strict=True))
