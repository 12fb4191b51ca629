"""What the terminal shows: one console for answers, one for everything else, and a progress sink that draws bars."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Write a value as JSON for a program to read."""
    OUT.file.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


class Bars:
    """Draws stages as lines and long work as bars, on standard error so that answers can be piped."""

    def __init__(self) -> None:
        """Prepare the bars; use as a context manager."""
        columns = TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self._bars = Progress(*columns, TextColumn("{task.fields[detail]}"), console=ERR, transient=True)
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
            self._tasks.setdefault(name, self._bars.add_task(name, total=None, detail=escape(detail)))
            return
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        colour = {"done": "green", "cached": "cyan", "redone": "yellow"}.get(state, "red")
        shown = f"{state}:" if state == "redone" else state
        self._bars.console.print(f"  {name:<12} [{colour}]{shown:<7}[/] {escape(detail)}")

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Move a stage's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, detail="")
        self._bars.update(self._tasks[name], completed=done, total=total, detail=escape(detail))
