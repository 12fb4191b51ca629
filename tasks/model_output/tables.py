"""Rows of Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

RULE = re.compile(r"[\s|:+=-]+")


def markdown_rows(lines: Sequence[str]) -> list[list[str]]:
    """Return the cells of each row, the head included and rules left out; [] for fewer than two rows."""
    rows = [_cells(line) for line in lines if line.count("|") > 1 and not RULE.fullmatch(line)]
    return rows if len(rows) > 1 else []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
