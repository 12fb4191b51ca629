"""Counts of what is not used, in one line for a console or a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.funnel.counts import PLANNED


def set_aside_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return how many source lines were set aside, by kind; empty if none was.

    Args:
        rows: as `Funnel.set_aside` holds them.
    """
    counts = [(_kind(row), int(row["lines"])) for row in rows]
    return _summed(counts, "set aside")


def unplanned_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return how many MIGHT_LIKES items have no brief, by reason; empty if each has one.

    Args:
        rows: as `Funnel.might_likes` holds them.
    """
    unplanned = [row for row in rows if row["outcome"] != PLANNED]
    counts = [(_words(row["outcome"]), int(row["items"])) for row in unplanned]
    return _summed(counts, "MIGHT_LIKES without a brief")


def _kind(row: Mapping[str, Any]) -> str:
    words = _words(row["kind"])
    return words if row["source"] == "reviews" else f"{row['source']} {words}"


def _words(code: str) -> str:
    return code.replace("_", " ")


def _summed(counts: list[tuple[str, int]], what: str) -> str:
    if not counts:
        return ""
    total = sum(count for _, count in counts)
    return f"{total:,} {what}: " + ", ".join(f"{count:,} {name}" for name, count in counts)
