"""How far a run is: the command line shows it as bars, a deployed run writes it to its log."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """Receives what is being done. Counts are in units of the stage: dialogues, bytes, rows."""

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Take note that a stage has begun ("running") or ended ("done", "cached" or "redone").

        The detail of one that was redone begins with the reason.
        """
        ...

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Take note that long work within a stage has moved on."""
        ...


class Silent:
    """Shows nothing."""

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Ignore."""

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Ignore."""


SILENT = Silent()
CURRENT: ContextVar[Progress] = ContextVar("redial_progress", default=SILENT)
