"""How far a run is: one small sink that the command line shows as bars and a deployed run writes to its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class _Detailed:
    """Passes everything on, and adds a text to the line with which one stage ends."""

    def __init__(self, sink: Progress, stage: str, detail: Callable[[], str]) -> None:
        self._sink = sink
        self._stage = stage
        self._detail = detail

    def stage(self, name: str, state: str, detail: str = "") -> None:
        if name == self._stage and state != "running":
            detail = ", ".join(text for text in (detail, self._detail()) if text)
        self._sink.stage(name, state, detail)

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        self._sink.advance(name, done, total, detail)


@contextmanager
def added_detail(stage: str, detail: Callable[[], str]) -> Iterator[None]:
    """Within the block, add a text to what a stage says when it ends; it is asked for only then, and may be empty."""
    token = CURRENT.set(_Detailed(CURRENT.get(), stage, detail))
    try:
        yield
    finally:
        CURRENT.reset(token)
