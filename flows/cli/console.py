"""What the terminal shows: a console for answers, one for everything else, and progress bars."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment

from tasks.visible_text import escaped_json, visible


def terminal_text(text: str) -> str:
    """Return a text with whatever a terminal would act on spelled out.

    Tabs and line feeds stay.
    """
    return visible(text).replace("\r", "<U+000D>")


class PlainConsole(Console):
    """A console on which nothing acts but what rich itself adds.

    Every text passes `terminal_text`, wherever it comes from.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is to be shown."""
        for segment in super().render(renderable, options):
            yield (
                segment if segment.control else Segment(terminal_text(segment.text), segment.style)
            )


OUT = PlainConsole(highlight=False, soft_wrap=True)
ERR = PlainConsole(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Write a value as JSON for a program to read.

    What a terminal would act on is written as JSON's own escapes.
    """
    OUT.file.write(
        escaped_json(json.dumps(value, ensure_ascii=False, indent=2, default=str)) + "\n"
    )


def print_plain(text: str) -> None:
    """Write text as it is, neither wrapped nor styled, but for what a terminal would act on."""
    OUT.file.write(terminal_text(text))


class Bars:
    """Draws stages as lines and long work as bars, on standard error: answers can be piped."""

    def __init__(self) -> None:
        """Prepare the bars; use as a context manager."""
        columns = (
            TextColumn("{task.description:<12}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._bars = Progress(
            *columns, TextColumn("{task.fields[detail]}", markup=False), console=ERR, transient=True
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing."""
        self._bars.stop()

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Note that a stage runs, or write its line when it has ended."""
        if state == "running":
            self._tasks.setdefault(
                name, self._bars.add_task(name, total=None, detail=escape(detail))
            )
            return
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        colour = {"done": "green", "cached": "cyan", "redone": "yellow"}.get(state, "red")
        shown = f"{state}:" if state == "redone" else state
        self._bars.console.print(f"  {escape(name):<12} [{colour}]{shown:<7}[/] {escape(detail)}")

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Move a stage's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, detail="")
        self._bars.update(self._tasks[name], completed=done, total=total, detail=detail)
