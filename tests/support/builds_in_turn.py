"""Several builds one after the other in one process: how each stage ended, the release and the funnel, printed as JSON.

It runs the project of the folder it is started in, which may be a copy with other code, on the
server that PREFECT_API_URL names.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.server.ephemeral import PrivateServer, local_server
from tests.support.forked import run_forked

Choices = Mapping[str, Any]


@dataclass(frozen=True)
class Built:
    """One build: each stage's end and what was said of it, the release's folder, its version and the verdicts."""

    stages: Mapping[str, str]
    details: Mapping[str, str]
    release: Path
    version: str
    verdicts: Mapping[str, int]

    def ran(self) -> list[str]:
        """Return the stages that were not cached."""
        return [stage for stage, state in self.stages.items() if state != "cached"]

    def card(self) -> str:
        """Return the release's card."""
        return (self.release / "README.md").read_text(encoding="utf-8")


def build_in_turn(
    project: Path, server: PrivateServer, builds: Sequence[tuple[Path, Choices]], **environment: str
) -> list[Built]:
    """Build the demo once for each data folder and its options, with the code of a project's folder."""
    asked = [[str(data), dict(options)] for data, options in builds]
    settings = {
        "PREFECT_API_URL": server.api,
        "PREFECT_API_AUTH_STRING": server.login,
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    done = run_forked(
        "tests.support.builds_in_turn:main",
        json.dumps(asked),
        environment={**os.environ, **settings, **environment},
        folder=project,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [Built(**{**one, "release": Path(one["release"])}) for one in found]


@contextmanager
def prefect_server(folder: Path) -> Iterator[PrivateServer]:
    """Run a private Prefect server; yield its API's address and its login."""
    with local_server(folder, lambda: None) as server:
        yield server


class _Ends:
    """A progress sink that keeps how each stage ended; of one that ran in several rounds the last."""

    def __init__(self) -> None:
        self.stages: dict[str, str] = {}
        self.details: dict[str, str] = {}

    def stage(self, name: str, state: str, detail: str = "") -> None:
        if state != "running":
            self.stages[name], self.details[name] = state, detail

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Ignore."""


def _build(data: str, options: Mapping[str, Any]) -> dict[str, Any]:
    from flows.build import build
    from flows.options import BuildOptions
    from flows.progress import CURRENT
    from flows.run_states import result_of

    ends = _Ends()
    CURRENT.set(ends)

    async def start() -> Any:
        return await result_of(
            await build("demo", BuildOptions(**options), data, return_state=True)
        )

    result = asyncio.run(start())
    verdicts = {row["verdict"]: row["briefs"] for row in result.funnel}
    found = {
        "stages": ends.stages,
        "details": ends.details,
        "release": str(result.release),
        "version": result.version,
    }
    return {**found, "verdicts": verdicts}


def main() -> None:
    """Build in each folder that is named, with its options, and print how each build ended."""
    for folder, chosen in json.loads(sys.argv[1]):
        print(json.dumps(_build(folder, chosen)), flush=True)
