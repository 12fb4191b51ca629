"""Deploys when `redial serve` starts, and whenever a domain file or prefect.yaml has changed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.settings import Home

LOOK_S = 3.0
ON_LINE = "--on-line"  # makes flows.server.deploy wait for a line before it deploys
GO = "go\n"
Report = Callable[[str], None]
Seen = dict[Path, tuple[int, int]]


@contextmanager
def watched_deployments(
    home: Home, folder: Path, environment: Mapping[str, str], report: Report
) -> Iterator[Callable[[], None]]:
    """Yield a function that deploys, and that deploys again whenever a file has changed.

    A process that is to deploy is started at once: what it imports takes about as long as the
    server's start.

    Args:
        home: has prefect.yaml and the domain files.
        folder: where the log of the last deployment goes.
        environment: names the Prefect server, its login and the data folder.
        report: takes each difference between files and server, and what is wrong with a file, as
            one line.

    Raises:
        UserError: by the function, when the first time fails. Later failures are reported.
    """
    seen = _look(home)
    end = threading.Event()
    first = _Deploying.begun(home, folder, environment)
    watch = threading.Thread(
        target=_watch,
        args=(home, folder, environment, report, seen, end),
        daemon=True,
        name="deployments",
    )

    def deploy_and_watch() -> None:
        for line in first.lines():
            report(line)
        watch.start()

    try:
        yield deploy_and_watch
    finally:
        end.set()
        first.end()


def _watch(
    home: Home,
    folder: Path,
    environment: Mapping[str, str],
    report: Report,
    seen: Seen,
    end: threading.Event,
) -> None:
    reported: set[str] = set()
    while not end.wait(LOOK_S):
        now = _look(home)
        if now == seen:
            continue
        seen = now
        try:
            lines = _Deploying.begun(home, folder, environment).lines()
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
    for file in (
        *(place / "prefect.yaml" for place in (home.project, home.data)),
        *home.domain_files().values(),
    ):
        try:
            status = file.stat()
        except OSError:
            continue  # it is being replaced
        seen[file] = (status.st_mtime_ns, status.st_size)
    return seen


@dataclass(frozen=True)
class _Deploying:
    """A process that imports every flow, and deploys once it reads a line."""

    log: Path
    process: subprocess.Popen[str]

    @classmethod
    def begun(cls, home: Home, folder: Path, environment: Mapping[str, str]) -> _Deploying:
        """Start it."""
        command = [sys.executable, "-m", "flows.server.deploy", ON_LINE]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command,
            cwd=home.project,
            env=dict(environment),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        return cls(folder / "deploy.log", process)

    def lines(self) -> list[str]:
        """Let it deploy, and return what it prints. Raises UserError."""
        printed, errors = self.process.communicate(GO)
        self.log.write_text(printed + errors, "utf-8")
        if self.process.returncode == 0:
            return printed.splitlines()
        error_lines = errors.splitlines()
        if self.process.returncode == 2 and error_lines:
            raise UserError(error_lines[-1])
        raise UserError(f"the deployments could not be made; see {self.log}")

    def end(self) -> None:
        """End it if it still waits, as it does when the server did not start."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
