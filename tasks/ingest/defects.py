"""The kinds of unusable lines, the hint for each, and the tally of those found in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.ingest.encodings import Guess

BROKEN = "broken_line"
NOT_OBJECT = "not_object"
MISSING = "missing_field"
BAD_ID = "bad_id"
BAD_RATING = "bad_rating"
OFF_SCALE = "off_scale"
BAD_TIMESTAMP = "bad_timestamp"
BAD_ENCODING = "bad_encoding"
OVER_LONG = "over_long"
DUPLICATE = "duplicate"
OTHER_EDITION = "other_edition"
EMPTY_TEXT = "empty_text"
UNRATED = "unrated"
ANONYMOUS = "anonymous"
UNDATED = "undated"
TRAILING = "trailing_bytes"
ERASED = "erased"
HARMLESS = frozenset(
    {DUPLICATE, OTHER_EDITION, EMPTY_TEXT, UNRATED, ANONYMOUS, UNDATED, TRAILING, ERASED}
)
"""Kinds that do not speak against the file.

They are rejected and counted like the others, but not held against `max_bad_share`.
"""
HINTS = {
    BROKEN: (
        "each line must be one JSON object (`jq -c .` makes them so), "
        "or with format columns a row with the header's columns and doubled quotes"
    ),
    NOT_OBJECT: "each line must be one JSON object",
    MISSING: "check that the format, or the names under columns, match the file",
    BAD_ID: "check that columns names the id columns, and that ids are texts or whole numbers",
    BAD_RATING: (
        "set `columns.rating_values` to the values of ratings written as words, "
        "and `columns.unrated` to those that mean no rating"
    ),
    OFF_SCALE: (
        "set `rating_scale` to the file's lowest and highest rating, "
        "or list under `columns.unrated` a number that means no rating, such as 0"
    ),
    BAD_TIMESTAMP: (
        "set `columns.timestamp_format` to how the file writes them, "
        "and `sources.undated` to values that mean none; "
        "leave `columns.timestamp` out if the lines are in order"
    ),
    OVER_LONG: "check that each review is on a line of its own",
    UNRATED: "`columns.unrated` lists the ratings that mean no rating",
    ANONYMOUS: (
        "check that the format, or columns, names the field of the users; "
        "`sources.anonymous` lists the names of unknown users"
    ),
    UNDATED: (
        "leave `columns.timestamp` out if the lines are in order; "
        "`sources.undated` lists the values that mean no time"
    ),
    EMPTY_TEXT: "check that the format, or columns, names the field of the reviews' texts",
}
"""What to do about each kind, for the message about a file that has too many of them."""
MISSING_HINTS = {
    "rating": "`unrated: [null]` under columns skips lines without a rating",
}
"""What to do about a field that is missing, by field."""
MIXED_HINT = "the rest of the file is UTF-8: convert these lines, or fetch the file again"
_MAX_KINDS_SHOWN = 3


class Defect(Exception):
    """One source line cannot be used.

    `detail` names the field or the value's type. Of the line itself it quotes only a rating, an
    id or a time that is a single short word; never a review.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail[:120]


class TooManyBadLines(UserError):
    """Too many lines cannot be used; `tallies` hold which, for `rejected_rows`."""

    def __init__(self, message: str, tallies: Sequence[Tally] = ()) -> None:
        super().__init__(message)
        self.tallies = tuple(tallies)


@dataclass
class Tally:
    """Counts of one file's lines, and its unusable lines with their kind and detail.

    Attributes:
        encoding: what the file was read as.
        guess: what its lines that are not UTF-8 may be written in.
        reread_as: the file's encoding, if reading it as UTF-8 showed that it is another one.
    """

    source_file: str
    lines: int = 0
    rejects: dict[int, tuple[str, str]] = field(default_factory=dict)
    encoding: str = "utf-8"
    guess: Guess = Guess()
    reread_as: str | None = None

    def reject(self, line: int, defect: Defect) -> None:
        """Record a line as unusable; a second record of a line replaces the first."""
        self.rejects[line] = (defect.kind, defect.detail)

    def kinds(self) -> Counter[str]:
        """Return how many lines were rejected, by kind."""
        # A copy, because DuckDB's threads may be adding rejects.
        return Counter(kind for kind, _ in list(self.rejects.values()))

    def hint(self, kind: str, detail: str) -> str:
        """Return what to do about one kind of defect."""
        if kind == BAD_ENCODING:
            return MIXED_HINT if self.guess.mixed else self.guess.hint()
        if kind == MISSING and detail in MISSING_HINTS:
            return MISSING_HINTS[detail]
        return HINTS.get(kind, HINTS[MISSING])

    def summary(self) -> str:
        """Return the most frequent bad kinds: their count, an example and what to do."""
        lines_by_kind: dict[tuple[str, str], list[int]] = {}
        for line, (kind, detail) in self.rejects.copy().items():
            if kind not in HARMLESS:
                lines_by_kind.setdefault((kind, self.hint(kind, detail)), []).append(line)
        groups = sorted(lines_by_kind.items(), key=lambda group: -len(group[1]))
        parts = [
            self._kind_summary(kind, hint, lines)
            for (kind, hint), lines in groups[:_MAX_KINDS_SHOWN]
        ]
        rest = sum(len(lines) for _, lines in groups[_MAX_KINDS_SHOWN:])
        if rest:
            parts.append(f"{rest} of other kinds")
        return "; ".join(parts)

    def _kind_summary(self, kind: str, hint: str, lines: list[int]) -> str:
        first = min(lines)
        detail = self.rejects[first][1]
        return f"{len(lines)} {kind}, the first is line {first}{detail and f' ({detail})'}: {hint}"


def bad_lines(kinds: Counter[str]) -> int:
    """Return how many rejected lines are held against their file."""
    return sum(count for kind, count in kinds.items() if kind not in HARMLESS)


def counts_text(kinds: Counter[str]) -> str:
    """Return counts by kind as text, most frequent first."""
    return (
        ", ".join(f"{count} {kind}" for kind, count in kinds.most_common() if count)
        or "nothing rejected"
    )


def most_frequent_hint(kinds: Counter[str]) -> str:
    """Return what to do about the most frequent kind."""
    worst = next((kind for kind, count in kinds.most_common() if count and kind in HINTS), MISSING)
    return HINTS[worst]


_KINDS = """
SELECT source_file AS file, kind, count(*) AS lines, min(source_line) AS first_line
FROM rejected_rows
GROUP BY source_file, kind
ORDER BY lines DESC, file, kind
"""
_LINES = """
SELECT source_file AS file, source_line AS line, kind, detail
FROM rejected_rows
WHERE $kind IS NULL OR kind = $kind
ORDER BY file, line, kind
LIMIT $limit
"""


@dataclass(frozen=True)
class RejectedLines:
    """The lines that ingest did not use: counts by file and kind, and the first lines."""

    kinds: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def read_rejected(con: duckdb.DuckDBPyConnection, kind: str | None, limit: int) -> RejectedLines:
    """Return the counts of `rejected_rows`, and its first `limit` rows, of one kind if given."""
    return RejectedLines(_rows(con, _KINDS, {}), _rows(con, _LINES, {"kind": kind, "limit": limit}))


def _rows(
    con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    cursor = con.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
