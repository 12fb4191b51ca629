"""How far a run is: one small sink that the command line shows as bars and a deployed run writes to its log."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """Receives what is being done. Counts are in units of the stage: dialogues, bytes, rows."""

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Take note that a stage has begun ("running") or ended ("done", "cached", or "redone" with the reason in the detail)."""
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


CURRENT: ContextVar[Progress] = ContextVar("redial_progress", default=Silent())  # noqa: B039 - Silent has no state
