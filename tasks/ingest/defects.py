"""The kinds of lines that are not used, what each says against its file, and the tally of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

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
HARMLESS = frozenset({DUPLICATE, OTHER_EDITION, EMPTY_TEXT, UNRATED})
"""Kinds that say nothing against the file: a second review of the same item or work, one of a rating alone, one without a rating.
They are rejected and counted like the others but not held against `max_bad_share`."""
_WAYS_OUT = {
    BROKEN: "each line must be one JSON object (`jq -c .` makes them so), or with format columns a row with the header's columns and "
    "doubled quotes",
    NOT_OBJECT: "each line must be one JSON object",
    MISSING: "see that the format, or the names under columns, are those of the file",
    BAD_ID: "see that columns names the ids' columns, and that ids are texts or whole numbers",
    BAD_RATING: "columns.rating_values says what ratings written as words stand for, columns.unrated which stand for none",
    OFF_SCALE: "set rating_scale to the file's lowest and highest rating, or name under columns.unrated one that stands for none, as 0 may",
    BAD_TIMESTAMP: "columns.timestamp_format says how the file writes them",
    BAD_ENCODING: "turn the file into UTF-8 (`iconv -f cp1252 -t utf-8` does so for Western European text)",
    OVER_LONG: "see that each review stands on a line of its own",
}


class Defect(Exception):
    """One source line cannot be used. `detail` names the field or the value's type; it never quotes a review."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail[:120]


@dataclass
class Tally:
    """What was seen in one file while it streamed by."""

    source_file: str
    lines: int = 0
    rejects: dict[int, tuple[str, str]] = field(default_factory=dict)

    def reject(self, line: int, defect: Defect) -> None:
        """Note a line that is not used; noting it twice is noting it once."""
        self.rejects[line] = (defect.kind, defect.detail)

    def kinds(self) -> Counter[str]:
        """Return how many lines were rejected, by kind."""
        return Counter(kind for kind, _ in list(self.rejects.values()))  # a copy, as DuckDB may be noting more in its threads

    def first_bad(self) -> str:
        """Return where the first line that speaks against the file stands, and what is wrong with it."""
        line = min((line for line, (kind, _) in self.rejects.copy().items() if kind not in HARMLESS), default=0)
        kind, detail = self.rejects.get(line, ("", ""))
        return f"the first is line {line}, {kind}{detail and f': {detail}'}"


def bad_lines(kinds: Counter[str]) -> int:
    """Return how many rejected lines speak against their file."""
    return sum(count for kind, count in kinds.items() if kind not in HARMLESS)


def told(kinds: Counter[str]) -> str:
    """Return counts by kind as a person reads them, most frequent first."""
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common() if count) or "nothing rejected"


def way_out(kinds: Counter[str]) -> str:
    """Return what mends the most frequent kind that speaks against the file."""
    worst = next((kind for kind, count in kinds.most_common() if count and kind in _WAYS_OUT), MISSING)
    return _WAYS_OUT[worst]
