"""A Dask scheduler and its workers as processes of their own, started by the commands that an operator types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.settings.home import PROJECT
from tests.support.served import until

LOOPBACK = "127.0.0.1"


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
        until(lambda: bool(_address(file)), 60, lambda: (folder / "scheduler.log").read_text("utf-8"))
        address = _address(file)
        common = ("--host", LOOPBACK, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
        started = [start(f"worker-{number}", "worker", address, *common) for number in range(workers)]
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            until(lambda log=log: "Registered to" in log.read_text("utf-8"), 60, lambda log=log: log.read_text("utf-8"))  # type: ignore[misc]
        yield DaskCluster(address, scheduler, started)


def _address(file: Path) -> str:
    try:
        return str(json.loads(file.read_text("utf-8"))["address"])
    except (OSError, ValueError, KeyError):
        return ""


@contextmanager
def _process(log: Path, environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[Any]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-m", "dask", *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=PROJECT, env={**kept, **environment}, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
