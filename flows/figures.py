"""Figures as a person reads them, in logs and artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

Row = Mapping[str, Any]


def figure(value: object) -> str:
    """Return a value as text.

    Thousands are set apart. A whole number has no decimals, one below 1 four digits, others two
    decimals.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{_number(each) if isinstance(each, int | float) else figure(each)} {_name(key)}"
            for key, each in value.items()
        )
    if isinstance(value, list | tuple):
        return ", ".join(map(figure, value))
    return str(value)


def table_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows for a table artifact: numbers that the page can sort, with few digits."""
    return [{name: _rounded(value) for name, value in row.items()} for row in rows]


def counts_text(counts: Any) -> str:
    """Return the counts of a stage, a dataclass, as one line; what is none or zero is left out."""
    return "; ".join(_counted(counts)) or "nothing"


def _counted(counts: Any) -> Iterator[str]:
    for field in fields(counts):
        value = getattr(counts, field.name)
        if value:
            yield f"{_name(field.name)}: {figure(value)}"


def _name(key: object) -> str:
    """Return a key as words; one of several parts with slashes between."""
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key).replace("_", " ")


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.4g}" if abs(value) < 1 else f"{value:,.2f}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        short = float(f"{value:.4g}") if abs(value) < 1 else round(value, 2)
        return int(short) if short == int(short) else short
    return value if isinstance(value, int | str) else figure(value)
