"""CSV and TSV tables as records with the number of the line each begins on; a quote left open costs its own row, not the file."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.errors import UserError
from tasks.ingest.defects import BAD_ENCODING, BROKEN, OVER_LONG, Defect, Tally
from tasks.ingest.encodings import UTF_8, Guess, guess_encoding
from tasks.ingest.field_values import is_unicode
from tasks.ingest.lines import MAX_LINE, numbered_lines
from tasks.ingest.parquet_tables import require_columns
from tasks.ingest.source_file import SourceFile

_DELIMITERS = ",\t;|"
_SEPARATOR = re.compile("sep=.", re.IGNORECASE)  # for spreadsheets
_LONGEST_NAME = (
    40  # characters of a column's name; a longer text is a review, which no message quotes
)
_TALLEST = 200  # lines a row may have; a quote that is not closed by then was not meant as one


def delimited_records(
    file: SourceFile, wanted: Sequence[str], tally: Tally
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV or TSV file with a header; the line is the one a row begins on.

    The delimiter is the one of comma, tab, semicolon and bar with which the header has most of the
    wanted names. Rows that are no CSV or of another length than the header are noted in `tally`.
    Raises UserError on missing columns.
    """
    csv.field_size_limit(MAX_LINE)
    feed = _Feed(file, tally)
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
    """Return the ways a row may be written, to be tried in turn.

    Quotes within a field are doubled; in a row that makes no sense so, they may stand behind a
    backslash, as Spark writes them. Tabs often part fields in which quotes are signs like any
    other.
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


def _row(feed: _Feed, dialects: Sequence[dict[str, Any]]) -> list[str] | None:
    """Return the next row's fields, None at the end.

    Raises Defect, and then gives back all lines of the row but its first.
    """
    wrong = Defect(BROKEN, "not a CSV row")
    for dialect in dialects:
        feed.begin()
        try:
            return next(csv.reader(feed, **dialect), None)
        except Defect as defect:
            wrong = defect
        except csv.Error:
            pass
        feed.take_back(keep=0)
    feed.skip()
    raise wrong


class _Feed:
    """Gives csv.reader one line after another, remembers those of the row being read, and can take all but the first of them back."""

    def __init__(self, file: SourceFile, tally: Tally) -> None:
        self.whole_row: tuple[str, int] | None = None
        """The delimiter, and how many of it make a line a row of its own, that cannot stand within quotes.
        """
        self._ahead: deque[tuple[int, str | None]] = deque()
        self._lines = numbered_lines(file, tally)
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
        if (
            self.whole_row
            and len(self._row) > 1
            and line.count(self.whole_row[0]) == self.whole_row[1]
        ):
            raise Defect(BROKEN, "a quote is not closed before the next row")
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
        self._row = self._row[:keep]

    def skip(self) -> None:
        """Leave the next line out; it is the row."""
        self.begin()
        self._row.append(self._ahead.popleft())


def _header_line(feed: _Feed, file: SourceFile) -> str:
    """Return the line that names the columns: the first that is not blank and does not only tell a spreadsheet the delimiter."""
    try:
        for line in feed:
            if line.strip() and not _SEPARATOR.fullmatch(line.strip()):
                if not is_unicode(line):
                    raise UserError(
                        f"{file} is not {file.encoding.upper()}: {_guess(line).advice()}"
                    )
                return line
            feed.begin()
    except Defect:
        pass  # a first line of megabytes is no header either
    raise UserError(f"{file} has no header: its first line must name the columns")


def _guess(line: str) -> Guess:
    return guess_encoding(line.encode(UTF_8, "surrogateescape"))


def _check_header(file: SourceFile, wanted: Sequence[str], header: Sequence[str]) -> None:
    if not set(wanted) & set(header) and not {name.casefold() for name in wanted} & {
        name.casefold() for name in header
    }:
        told = ", ".join(
            name if len(name) <= _LONGEST_NAME else f"({len(name)} characters)"
            for name in header[:30]
        )
        raise UserError(
            f"{file} has no column {', '.join(wanted)}: its first line must name the columns, parted by commas, tabs, semicolons or bars; "
            f"it reads: {told}"
        )
    require_columns(file, wanted, header)


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _record(header: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    while len(values) > len(header) and not values[-1]:
        values = values[:-1]  # a delimiter at the end of each row is none between two fields
    if len(values) != len(header):
        raise Defect(BROKEN, f"{len(values)} fields where the header has {len(header)}")
    if not all(map(is_unicode, values)):
        raise Defect(BAD_ENCODING, "not UTF-8")
    return dict(zip(header, values, strict=True))
