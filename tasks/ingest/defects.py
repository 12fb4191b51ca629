"""The kinds of lines that are not used, what each says against its file, and the tally of them."""

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
HARMLESS = frozenset({DUPLICATE, OTHER_EDITION, EMPTY_TEXT, UNRATED, ANONYMOUS, UNDATED, TRAILING})
"""Kinds that say nothing against the file: a second review of the same item or work, one of a rating alone, one without a rating, one
by nobody in particular, one of no day, bytes behind the end of packed data. They are rejected and
counted like the others but not held against `max_bad_share`.
"""
HINTS = {
    BROKEN: "each line must be one JSON object (`jq -c .` makes them so), or with format columns a row with the header's columns and "
    "doubled quotes",
    NOT_OBJECT: "each line must be one JSON object",
    MISSING: "see that the format, or the names under columns, are those of the file",
    BAD_ID: "see that columns names the ids' columns, and that ids are texts or whole numbers",
    BAD_RATING: "`columns.rating_values` says what ratings written as words stand for, `columns.unrated` which stand for none",
    OFF_SCALE: "set `rating_scale` to the file's lowest and highest rating, or name under `columns.unrated` one that stands for none, as "
    "0 may",
    BAD_TIMESTAMP: "`columns.timestamp_format` says how the file writes them, `sources.undated` which stand for none; "
    "leave `columns.timestamp` out if the lines are in order",
    OVER_LONG: "see that each review stands on a line of its own",
    UNRATED: "`columns.unrated` says which ratings stand for none",
    ANONYMOUS: "see that the file's users are where the format, or columns, says; `sources.anonymous` says which stand for nobody",
    UNDATED: "leave `columns.timestamp` out if the lines are in order; `sources.undated` says which moments stand for none",
    EMPTY_TEXT: "see that the format, or columns, names the reviews' texts",
}
"""The way out of each kind, for the message about a file that has too many of them."""
MISSING_HINTS = {
    "rating": "`unrated: [null]` under columns sets lines without a rating aside",
}
"""The way out where a certain field is missing."""
MIXED_HINT = "the rest of the file is UTF-8: turn these lines into it, or fetch the file again"
_KINDS_TOLD = 3


class Defect(Exception):
    """One source line cannot be used.

    `detail` names the field or the value's type. Of the line itself it quotes nothing but a rating,
    an id or a moment that is a
    single short word; never a review.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail[:120]


class BadLines(UserError):
    """Too many lines cannot be used; `tallies` hold which, for `rejected_rows`."""

    def __init__(self, message: str, tallies: Sequence[Tally] = ()) -> None:
        super().__init__(message)
        self.tallies = tuple(tallies)


@dataclass
class Tally:
    """What was seen in one file while it streamed by.

    Attributes:
        encoding: what the file was read as.
        guess: what its lines that are not UTF-8 may be written in.
        reread_as: the encoding it is in for certain, found only while it was read as UTF-8.
    """

    source_file: str
    lines: int = 0
    rejects: dict[int, tuple[str, str]] = field(default_factory=dict)
    encoding: str = "utf-8"
    guess: Guess = Guess()
    reread_as: str | None = None

    def reject(self, line: int, defect: Defect) -> None:
        """Note a line that is not used; noting it twice is noting it once."""
        self.rejects[line] = (defect.kind, defect.detail)

    def kinds(self) -> Counter[str]:
        """Return how many lines were rejected, by kind."""
        return Counter(
            kind for kind, _ in list(self.rejects.values())
        )  # a copy, as DuckDB may be noting more in its threads

    def hint(self, kind: str, detail: str) -> str:
        """Return the way out of one kind of defect."""
        if kind == BAD_ENCODING:
            return MIXED_HINT if self.guess.mixed else self.guess.advice()
        return (
            MISSING_HINTS.get(detail) or HINTS[kind]
            if kind == MISSING
            else HINTS.get(kind, HINTS[MISSING])
        )

    def complaints(self) -> str:
        """Return the largest kinds that speak against the file: how many lines, one of them as an example, and the way out."""
        found: dict[tuple[str, str], list[int]] = {}
        for line, (kind, detail) in self.rejects.copy().items():
            if kind not in HARMLESS:
                found.setdefault((kind, self.hint(kind, detail)), []).append(line)
        groups = sorted(found.items(), key=lambda group: -len(group[1]))
        told = [self._complaint(kind, hint, lines) for (kind, hint), lines in groups[:_KINDS_TOLD]]
        rest = sum(len(lines) for _, lines in groups[_KINDS_TOLD:])
        return "; ".join([*told, *([f"{rest} of other kinds"] if rest else [])])

    def _complaint(self, kind: str, hint: str, lines: list[int]) -> str:
        first = min(lines)
        detail = self.rejects[first][1]
        return f"{len(lines)} {kind}, the first is line {first}{detail and f' ({detail})'}: {hint}"


def bad_lines(kinds: Counter[str]) -> int:
    """Return how many rejected lines speak against their file."""
    return sum(count for kind, count in kinds.items() if kind not in HARMLESS)


def counts_text(kinds: Counter[str]) -> str:
    """Return counts by kind as a person reads them, most frequent first."""
    return (
        ", ".join(f"{count} {kind}" for kind, count in kinds.most_common() if count)
        or "nothing rejected"
    )


def hint_for(kinds: Counter[str]) -> str:
    """Return the way out of the most frequent kind."""
    worst = next((kind for kind, count in kinds.most_common() if count and kind in HINTS), MISSING)
    return HINTS[worst]


_KINDS = """
SELECT source_file AS file, kind, count(*) AS lines, min(source_line) AS first_line
FROM rejected_rows GROUP BY source_file, kind ORDER BY lines DESC, file, kind
"""
_LINES = """
SELECT source_file AS file, source_line AS line, kind, detail FROM rejected_rows
WHERE $kind IS NULL OR kind = $kind
ORDER BY file, line, kind LIMIT $limit
"""


@dataclass(frozen=True)
class RejectedLines:
    """What ingest did not use: how many lines of each file and kind, and the first of them in the order of the file."""

    kinds: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def read_rejected(con: duckdb.DuckDBPyConnection, kind: str | None, limit: int) -> RejectedLines:
    """Return the counts of `rejected_rows`, and its first `limit` rows, of one kind if that is given."""
    return RejectedLines(_rows(con, _KINDS, {}), _rows(con, _LINES, {"kind": kind, "limit": limit}))


def _rows(
    con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    cursor = con.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
