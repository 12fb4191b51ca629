"""A Dask scheduler and its workers as processes of their own, started by the commands that an operator types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tasks.settings.paths import PROJECT
from tests.support.command import environment_without, redial_command
from tests.support.ending import end_process
from tests.support.served import KEY, until

LOOPBACK = "127.0.0.1"
with_dask = pytest.mark.skipif(
    find_spec("prefect_dask") is None, reason="the extra dask is not installed"
)


def build_own(data: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `redial build own` on a private server; its output and errors are one stream."""
    environment = environment_without("PREFECT_") | {
        "OPENAI_API_KEY": KEY,
        "REDIAL_DATA": str(data),
        **variables,
    }
    return subprocess.Popen(
        redial_command(None, "build", "own", *arguments),
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def in_small_chunks(api_base: str) -> list[str]:
    """Return the options of a build that asks a server of ours, four calls at a time, twelve briefs a chunk."""
    model = ["--model", "openai/mock", "--api-base", api_base]
    quick = ["--set", "generate.chunk_size=12", "--set", "generate.limits.probe=false"]
    return [*model, "--concurrency", "4", *quick]


@dataclass
class DaskCluster:
    """A running cluster."""

    address: str
    scheduler: subprocess.Popen[Any]
    workers: list[subprocess.Popen[Any]]


@contextmanager
def dask_cluster(folder: Path, workers: int, **environment: str) -> Iterator[DaskCluster]:
    """Run `dask scheduler` and some `dask worker` on ports of the system's choice for the length of the block."""
    file = folder / "scheduler.json"
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> subprocess.Popen[Any]:
            return stack.enter_context(_process(folder / f"{name}.log", environment, *arguments))

        listening = ("--host", LOOPBACK, "--port", "0", "--dashboard-address", f"{LOOPBACK}:0")
        scheduler = start("scheduler", "scheduler", *listening, "--scheduler-file", str(file))
        until(
            lambda: bool(_address(file)), 60, lambda: (folder / "scheduler.log").read_text("utf-8")
        )
        address = _address(file)
        common = (
            "--host",
            LOOPBACK,
            "--nthreads",
            "1",
            "--no-dashboard",
            "--local-directory",
            str(folder),
        )
        started = [
            start(f"worker-{number}", "worker", address, *common) for number in range(workers)
        ]
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            until(
                lambda log=log: "Registered to" in log.read_text("utf-8"),
                60,
                lambda log=log: log.read_text("utf-8"),
            )  # type: ignore[misc]
        yield DaskCluster(address, scheduler, started)


def _address(file: Path) -> str:
    try:
        return str(json.loads(file.read_text("utf-8"))["address"])
    except (OSError, ValueError, KeyError):
        return ""


@contextmanager
def _process(
    log: Path, environment: Mapping[str, str], *arguments: str
) -> Iterator[subprocess.Popen[Any]]:
    kept = environment_without("PREFECT_")
    command = [sys.executable, "-m", "dask", *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**kept, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield process
    finally:
        end_process(process)
