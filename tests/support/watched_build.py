"""A small real build under watch: what each stage runs, opens and reads, printed as JSON.

In a process of its own, with empty caches.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from flows import steps
from flows.options import BuildOptions
from flows.stages import Stage
from tasks.code_identity import PROJECT, project_code
from tasks.settings import Home
from tasks.settings.sources import Settings
from tasks.warehouse import TABLES
from tests.support import plain_build

READS = re.compile(r"(?<!DELETE )\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)
SPOILT = {"garbled": 0.3, "ungrounded": 0.2, "cut_off": 0.1}


@dataclass
class Seen:
    """What one stage did: modules of tasks/ whose functions ran, files it opened, settings and tables it read."""

    modules: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)


SEEN: dict[str, Seen] = defaultdict(Seen)
WATCHED: list[str] = []  # the stage under watch, if any


class Connection:
    """A DuckDB connection that notes which tables the statements read."""

    def __init__(self, con: Any) -> None:
        self._con = con

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def execute(self, query: str, *values: Any, **named: Any) -> Any:
        self._note(query)
        return self._con.execute(query, *values, **named)

    def sql(self, query: str, *values: Any, **named: Any) -> Any:
        self._note(query)
        return self._con.sql(query, *values, **named)

    def _note(self, query: str) -> None:
        if WATCHED:
            SEEN[WATCHED[-1]].tables |= set(READS.findall(query)) & set(TABLES)


def note_open(event: str, arguments: tuple[Any, ...]) -> None:
    """Note the project's files that are opened, code apart."""
    if event != "open" or not WATCHED or not isinstance(arguments[0], str):
        return
    path = Path(arguments[0])
    if (
        path.is_relative_to(PROJECT)
        and not path.is_relative_to(PROJECT / ".venv")
        and path.suffix not in (".py", ".pyc")
    ):
        SEEN[WATCHED[-1]].files.add(path.relative_to(PROJECT).as_posix())


def note_call(frame: FrameType, event: str, _: Any) -> None:
    """Note the modules of tasks/ whose functions are called."""
    name = frame.f_globals.get("__name__", "")
    if event == "call" and WATCHED and name.startswith("tasks."):
        SEEN[WATCHED[-1]].modules.add(name)


@contextmanager
def watch(stage: str) -> Iterator[None]:
    """Watch a block as one stage."""
    WATCHED.append(stage)
    threading.setprofile(note_call)
    sys.setprofile(note_call)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        WATCHED.pop()


def watch_stages() -> None:
    """Watch every stage that has a function of its own."""
    plain = plain_build._run

    def run(stage: Stage, context: Any, *upstream: Any) -> Any:
        def work(con: Any) -> Any:
            with watch(stage.name):
                return stage.work(Connection(con))

        return plain(replace(stage, work=work), context, *upstream)

    plain_build._run = run


def note_settings() -> None:
    """Note each setting that is read, by its section and name."""
    plain = Settings.__getattribute__

    def noting(self: Settings, name: str) -> Any:
        if WATCHED and name in type(self).model_fields:
            SEEN[WATCHED[-1]].settings.add(f"{type(self).__name__}.{name}")
        return plain(self, name)

    Settings.__getattribute__ = noting  # type: ignore[method-assign,assignment]


def watch_planning() -> None:
    """Watch the templates being read, which the stage gets handed."""
    plain = steps.load_templates

    def load_templates(home: Home, name: str) -> Any:
        with watch("briefs"):
            return plain(home, name)

    load_templates.__module__ = plain.__module__
    steps.load_templates = load_templates


def watch_asking() -> None:
    """Watch the asking of a build, which is no stage with a function of its own."""
    asked, transcribed = steps.work, plain_build.generate_transcripts

    def work(con: Any, context: Any, attempt: int, ids: Any) -> Any:
        WATCHED.append(f"generate-{attempt}")
        found = asked(Connection(con), context, attempt, ids)
        WATCHED.pop()
        return found

    async def transcripts(con: Any, work: Any, *others: Any) -> Any:
        with watch(f"generate-{work.rollout.attempt}"):
            return await transcribed(con, work, *others)

    steps.work = work
    plain_build.generate_transcripts = transcripts


def main(data: Path) -> None:
    """Build the demo in a folder; print what each stage did."""
    for module in project_code().modules():
        # Before the watch, so that only calls are noted and no module's own body.
        importlib.import_module(module)
    sys.addaudithook(note_open)
    note_settings()
    watch_planning()
    watch_stages()
    watch_asking()
    options = BuildOptions(
        max_dialogues=25, max_attempts=2, settings={"generate": {"misbehave": SPOILT}}
    )
    plain_build.plain_build(Home.find(data), "demo", options)
    print(
        json.dumps(
            {
                stage: {kind: sorted(found) for kind, found in asdict(seen).items()}
                for stage, seen in SEEN.items()
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
