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
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

from flows import specifications, stages
from flows.options import BuildOptions
from flows.stages import Stage
from tasks import fingerprint
from tasks.code_identity import PROJECT, project_code
from tasks.llm import requests
from tasks.mock_model import phrases
from tasks.settings import Domain, Home, YamlFiles
from tasks.settings.sources import Settings
from tasks.warehouse import TABLES
from tests.support import plain_build

READS = re.compile(r"(?<!DELETE )\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)
SPOILT = {"garbled": 0.3, "ungrounded": 0.2, "cut_off": 0.1}


@dataclass
class Seen:
    """What one stage did, or the reading of one part of the specifications.

    Modules of tasks/ whose functions ran, files it read, settings and tables it read, and parts of
    the specifications that it used.
    """

    modules: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)


SEEN: dict[str, Seen] = defaultdict(Seen)
PARTS: dict[str, Seen] = defaultdict(Seen)
WATCHED: list[Seen] = []  # what the stage or part under watch did, if any is


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
            WATCHED[-1].tables |= set(READS.findall(query)) & set(TABLES)


def note_open(event: str, arguments: tuple[Any, ...]) -> None:
    """Note the project's files that are opened, code apart."""
    if event == "open" and isinstance(arguments[0], str):
        note_file(Path(arguments[0]))


def note_file(path: Path) -> None:
    """Note a file of the project that is opened, or of which the content is used."""
    if (
        WATCHED
        and path.is_relative_to(PROJECT)
        and not path.is_relative_to(PROJECT / ".venv")
        and path.suffix not in (".py", ".pyc")
    ):
        WATCHED[-1].files.add(path.relative_to(PROJECT).as_posix())


def note_call(frame: FrameType, event: str, _: Any) -> None:
    """Note the modules of tasks/ whose functions are called."""
    name = frame.f_globals.get("__name__", "")
    if event == "call" and WATCHED and name.startswith("tasks."):
        WATCHED[-1].modules.add(name)


@contextmanager
def watch(seen: Seen) -> Iterator[None]:
    """Watch a block as one stage or part."""
    WATCHED.append(seen)
    threading.setprofile(note_call)
    sys.setprofile(note_call)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        WATCHED.pop()


def watch_stages() -> None:
    """Watch what every stage does."""
    plain = Stage.work

    def work(self: Stage, con: Any, context: Any, attempt: int, *ids: Any) -> Any:
        with watch(SEEN[self.named(attempt)]):
            return plain(self, Connection(con), context, attempt, *ids)

    Stage.work = work  # type: ignore[method-assign]


def note_settings() -> None:
    """Note each setting that is read, by its section and name."""
    plain = Settings.__getattribute__

    def noting(self: Settings, name: str) -> Any:
        if WATCHED and name in type(self).model_fields:
            WATCHED[-1].settings.add(f"{type(self).__name__}.{name}")
        return plain(self, name)

    Settings.__getattribute__ = noting  # type: ignore[method-assign,assignment]


def watch_specifications() -> None:
    """Watch each part being read, which stages get handed, and note which part a stage uses."""
    watched = {name: _watched(name, loader) for name, loader in specifications.LOADERS.items()}
    specifications.LOADERS = watched  # type: ignore[misc]
    stages.LOADERS = watched  # type: ignore[misc]
    plain = specifications.Specifications.part

    def part(self: specifications.Specifications, name: str) -> Any:
        if WATCHED:
            WATCHED[-1].parts.add(name)
        return plain(self, name)

    specifications.Specifications.part = part  # type: ignore[method-assign]


def _watched(name: str, loader: specifications.Loader) -> specifications.Loader:
    @wraps(loader.load)  # so that it names the same module
    def load(*arguments: Any, **named: Any) -> Any:
        with watch(PARTS[name]):
            return loader.load(*arguments, **named)

    def arguments(domain: Domain) -> Any:
        with watch(PARTS[name]):
            return loader.arguments(domain)

    return specifications.Loader(load, arguments)


def note_contents() -> None:
    """Note each use of a YAML file that was read before: it is opened only once."""
    read, shipped = YamlFiles.read, fingerprint.shipped_yaml

    def noting(self: YamlFiles, path: Path) -> Any:
        note_file(path)
        return read(self, path)

    def noting_shipped(path: Path) -> Any:
        note_file(path)
        return shipped(path)

    YamlFiles.read = noting  # type: ignore[method-assign]
    for user in (requests, phrases):
        user.shipped_yaml = noting_shipped  # type: ignore[attr-defined]


def watch_asking() -> None:
    """Watch the asking of a build, which goes on after the stage has said what is asked."""
    transcribed = plain_build.generate_transcripts

    async def transcripts(con: Any, work: Any, *others: Any) -> Any:
        with watch(SEEN[f"generate-{work.rollout.attempt}"]):
            return await transcribed(con, work, *others)

    plain_build.generate_transcripts = transcripts


def with_parts(seen: Seen) -> Seen:
    """Return what a stage did together with the reading of the parts that it used."""
    read = [seen, *(PARTS[name] for name in seen.parts)]
    return Seen(
        modules=set().union(*(one.modules for one in read)),
        files=set().union(*(one.files for one in read)),
        settings=set().union(*(one.settings for one in read)),
        tables=seen.tables,
        parts=seen.parts,
    )


def main(data: Path) -> None:
    """Build the demo in a folder; print what each stage did."""
    for module in project_code().modules():
        # Before the watch, so that only calls are noted and no module's own body.
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            # One of an optional extra that is not installed; a module of ours must be there.
            if (error.name or "").split(".")[0] in ("flows", "tasks"):
                raise
    sys.addaudithook(note_open)
    note_settings()
    note_contents()
    watch_specifications()
    watch_stages()
    watch_asking()
    options = BuildOptions(
        max_dialogues=25, max_attempts=2, settings={"generate": {"misbehave": SPOILT}}
    )
    plain_build.plain_build(Home.find(data), "demo", options)
    print(
        json.dumps(
            {
                stage: {kind: sorted(found) for kind, found in asdict(with_parts(seen)).items()}
                for stage, seen in SEEN.items()
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
