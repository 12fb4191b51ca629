"""Deploys while `redial serve` runs: at its start, and again whenever a domain file or prefect.yaml has changed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import UserError
from tasks.settings import Home

LOOK_S = 3.0
Report = Callable[[str], None]
Seen = dict[Path, tuple[int, int]]


@contextmanager
def watched_deployments(home: Home, folder: Path, environment: Mapping[str, str], report: Report) -> Iterator[None]:
    """Deploy once, and again for the length of the block whenever a file has changed.

    Args:
        home: whose prefect.yaml and domain files.
        folder: where the log of the last deployment goes.
        environment: names the Prefect server, its login and the data folder.
        report: takes each difference between files and server, and what is wrong with a file, as one line.

    Raises:
        UserError: the first time fails. Later failures are reported.
    """
    seen = _look(home)
    for line in _deploy(home, folder, environment):
        report(line)
    end = threading.Event()
    watch = threading.Thread(target=_watch, args=(home, folder, environment, report, seen, end), daemon=True, name="deployments")
    watch.start()
    try:
        yield
    finally:
        end.set()


def _watch(home: Home, folder: Path, environment: Mapping[str, str], report: Report, seen: Seen, end: threading.Event) -> None:
    reported: set[str] = set()
    while not end.wait(LOOK_S):
        now = _look(home)
        if now == seen:
            continue
        seen = now
        try:
            lines = _deploy(home, folder, environment)
        except UserError as error:
            lines = [str(error)]
        if end.is_set():
            return  # the server has been ended under it
        for line in lines:
            if line not in reported:
                report(line)
        reported = set(lines)


def _look(home: Home) -> Seen:
    """Return when each file was last changed, and its size."""
    seen = {}
    for file in (home.project / "prefect.yaml", *home.domain_files().values()):
        try:
            status = file.stat()
        except OSError:
            continue  # it is being replaced
        seen[file] = (status.st_mtime_ns, status.st_size)
    return seen


def _deploy(home: Home, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Deploy in a process of its own, which imports every flow, and return its lines. Raises UserError."""
    log = folder / "deploy.log"
    command = [sys.executable, "-m", "flows.server.deploy"]
    done = subprocess.run(
        command, cwd=home.project, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    log.write_text(done.stdout + done.stderr, "utf-8")
    lines = done.stdout.splitlines()
    if done.returncode == 0:
        return lines
    told = done.stderr.splitlines()
    if done.returncode == 2 and told:
        raise UserError(told[-1])
    raise UserError(f"the deployments could not be made; see {log}")
