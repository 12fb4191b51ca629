"""Lists counted otherwise than by a digit with a mark: letters, Roman numbers, bare numbers; and comma-separated rows with a head."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

_MARKS = (
    ("a b c d e f g h i j k l m n o p q r s t u v w x y z", re.compile(r"^\s*\(?(?P<count>[a-zA-Z])[.)]\s+(?P<title>\S.*)$")),
    (
        "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx",
        re.compile(r"^\s*\(?(?P<count>[ivxIVX]{1,5})[.)]\s+(?P<title>\S.*)$"),
    ),
    (" ".join(map(str, range(1, 201))), re.compile(r"^\s*(?P<count>\d{1,3})\s+(?P<title>\S.*)$")),
)
_FEWEST = 3  # lines that count in turn


def counted_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a list in which most lines count on from the first, without gap."""
    for counts, pattern in _MARKS:
        in_turn = counts.split()
        found: list[str] = []
        for line in lines:
            match = pattern.match(line)
            if match and len(found) < len(in_turn) and match["count"].lower() == in_turn[len(found)]:
                found.append(match["title"])
        if len(found) >= _FEWEST and len(found) * 2 > len(lines):
            return found
    return []


def comma_rows(lines: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Return the column of comma-separated rows whose head bears one of some names."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        return []
    column = next((place for place, cell in enumerate(rows[0]) if cell.strip("*_ ").lower() in heads), None)
    return [] if column is None else [row[column] for row in rows[1:] if len(row) > column and row[column]]
