"""What each stage reads and writes, column by column, as `columns.yaml` states it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

EXTERNAL: Final[Mapping[str, tuple[str, ...]]] = {
    "source:reviews": ("user", "item", "rating", "text", "timestamp", "title"),
    "source:metadata": ("item", "title"),
    "model": ("text", "finish_reason", "usage", "model", "id"),
}
"""What is read that is in no table of ours.

The columns of source files, by what they are for, and what a model's server sends.
"""
INGEST: Final = "ingest"
_COPY = "= "


@dataclass(frozen=True)
class ColumnRef:
    """One column of one table, source or file."""

    table: str
    column: str


@dataclass(frozen=True)
class Made:
    """The columns that one column's value is made from.

    `copied` is True if it is one column's value as it is.
    """

    inputs: tuple[ColumnRef, ...]
    copied: bool = False


@dataclass(frozen=True)
class StageColumns:
    """One kind of stage.

    Attributes:
        decides: columns that decide which rows it writes.
        writes: for each table it writes, what each column is made from.
    """

    decides: tuple[ColumnRef, ...]
    writes: Mapping[str, Mapping[str, Made]]

    def reads(self) -> tuple[str, ...]:
        """Return the tables and sources it reads, in the order they are first named.

        Its own output may be among them.
        """
        named = [ref.table for ref in self.decides] + [ref.table for ref in self._inputs()]
        return tuple(dict.fromkeys(named))

    def inputs(self) -> tuple[str, ...]:
        """Return the tables and sources it reads and does not itself write."""
        return tuple(table for table in self.reads() if table not in self.writes)

    def _inputs(self) -> Iterator[ColumnRef]:
        for columns in self.writes.values():
            for made in columns.values():
                yield from made.inputs


@cache
def stage_columns() -> Mapping[str, StageColumns]:
    """Return what each kind of stage reads and writes, in the order of the pipeline."""
    text = Path(__file__).with_name("columns.yaml").read_text(encoding="utf-8")
    stated: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {stage: _stage(stage, tables) for stage, tables in stated.items()}


def kind_of(stage: str) -> str:
    """Return the kind of a stage by its name: `quality` for quality-2, `repair` for generate-2."""
    kind, _, attempt = stage.partition("-")
    return "repair" if kind == "generate" and attempt != "1" else kind


def _stage(stage: str, tables: Mapping[str, Any]) -> StageColumns:
    decides = tuple(_ref(stage, name) for name in tables["decides"])
    writes = {}
    for table, columns in tables.items():
        if table != "decides":
            writes[table] = {column: _made(stage, stated) for column, stated in columns.items()}
    return StageColumns(decides, writes)


def _made(stage: str, stated: str | list[str]) -> Made:
    if isinstance(stated, str):
        return Made((_ref(stage, stated.removeprefix(_COPY)),), copied=stated.startswith(_COPY))
    return Made(tuple(_ref(stage, name) for name in stated))


def _ref(stage: str, name: str) -> ColumnRef:
    table, _, column = name.rpartition(".")
    return ColumnRef(f"source:{table}" if stage == INGEST else table, column)
