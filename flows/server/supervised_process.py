"""One process of `redial serve`, with a log, in a session of its own; it ends with the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from flows.server.instance_lock import LOCK
from flows.server.process_ending import end_child
from tasks.settings import PROJECT

STOP_S = 20.0


class SupervisedProcess:
    """A Python module that runs as long as `redial serve` does. Use as a context manager."""

    def __init__(
        self, name: str, folder: Path, environment: Mapping[str, str], arguments: tuple[str, ...]
    ) -> None:
        """Prepare `python -m ARGUMENTS`; its output goes to FOLDER/NAME.log.

        `environment` names the lock it follows.
        """
        self.name = name
        self.log = folder / f"{name}.log"
        self._environment = environment
        self._command = [
            sys.executable,
            "-m",
            "flows.server.instance_lock",
            environment[LOCK],
            *arguments,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again; the log goes on."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=PROJECT,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ended(self) -> bool:
        """Return True if it has ended, though nobody asked it to."""
        return self._process is not None and self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self._process.returncode if self._process else None

    @property
    def pid(self) -> int:
        """Return its process id, which is its group's as well."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> SupervisedProcess:
        """Start it with a fresh log."""
        self.log.unlink(missing_ok=True)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it and all it started: by SIGTERM first, then by SIGKILL."""
        assert self._process is not None
        end_child(self._process, STOP_S)
