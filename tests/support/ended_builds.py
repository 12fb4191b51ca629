"""Builds of the demo one after the other in one process, each ended in a way of its own; how each ended, printed as JSON.

It runs on the server that PREFECT_API_URL names, and leaves pages and artifacts as any build does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.server.ephemeral import PrivateServer
from tasks.settings.paths import PROJECT

# Pages on another machine count as served.
PAGES = "https://pages.example.org"
SMALL = {"max_dialogues": 12}
PRICED = {"settings": {"generate": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}}}


@dataclass(frozen=True)
class EndedBuild:
    """How a build ended: its run's id, the type and name of its state, its artifacts' data by key."""

    run_id: str
    type: str
    name: str
    artifacts: dict[str, Any]


def end_builds(server: PrivateServer, data: Path, ways: Sequence[str]) -> list[EndedBuild]:
    """Build the demo in a data folder once for each way to end."""
    settings = {
        "PREFECT_API_URL": server.api,
        "PREFECT_API_AUTH_STRING": server.login,
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "REDIAL_PAGES_URL": PAGES,
    }
    command = [sys.executable, "-m", "tests.support.ended_builds", str(data), *ways]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == (9 if "killed" in ways else 0), done.stderr
    return [
        EndedBuild(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")
    ]


def _lose_the_disk(*_: object) -> None:
    raise RuntimeError("the disk is gone")


def _patches() -> dict[str, Callable[[], dict[str, Any]]]:
    """Return for each way to end what is done before the build and which options it gets."""
    import tasks.release.writer as writing
    from flows import build

    texts, finish, rounds = writing.released_texts, build.finish_build, build.write_dialogues

    def refused() -> dict[str, Any]:
        import polars as pl

        spoiled = pl.lit("As an AI language model I cannot say.").alias("text")
        writing.released_texts = lambda con, folder: texts(con, folder).with_columns(spoiled)
        return {"seed": 11}

    def between() -> dict[str, Any]:
        build.finish_build = _lose_the_disk  # type: ignore[assignment]
        return {"seed": 12}

    def killed() -> dict[str, Any]:
        build.finish_build = lambda *_: os._exit(9)
        return {"seed": 13}

    def stopped() -> dict[str, Any]:
        async def cut_off(*arguments: Any) -> Any:
            await rounds(*arguments)
            raise asyncio.CancelledError

        build.write_dialogues = cut_off
        return {"seed": 14}

    def unreadable() -> dict[str, Any]:
        return {"seed": 15, "settings": {"max_bad_share": 0.0}}

    def whole() -> dict[str, Any]:
        writing.released_texts, build.finish_build, build.write_dialogues = texts, finish, rounds
        return {}

    def budget() -> dict[str, Any]:
        return {"seed": 16, "budget_usd": 0.0, **PRICED}

    ways = (whole, refused, between, killed, stopped, unreadable, budget)
    return {way.__name__: way for way in ways}


async def _run(options: dict[str, Any], data: Path) -> dict[str, Any]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
    from prefect.client.schemas.sorting import FlowRunSort

    from flows.build import build
    from flows.options import BuildOptions

    try:
        await build("demo", BuildOptions(**{**SMALL, **options}), str(data), return_state=True)
    except asyncio.CancelledError:
        asyncio.current_task().uncancel()  # type: ignore[union-attr]
    async with get_client() as client:
        (run,) = await client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1)
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        artifacts = {
            found.key: found.data
            for found in await client.read_artifacts(artifact_filter=chosen)
            if found.key
        }
    assert run.state is not None
    return {
        "run_id": str(run.id),
        "type": run.state.type.value,
        "name": run.state.name,
        "artifacts": artifacts,
    }


if __name__ == "__main__":
    patches = _patches()
    for way in sys.argv[2:]:
        patches["whole"]()
        print(json.dumps(asyncio.run(_run(patches[way](), Path(sys.argv[1])))), flush=True)
