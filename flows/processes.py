"""One process of `redial serve`: started in a session of its own, on the leash, with a log, ended with all it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from flows.leash import LOCK
from tasks.settings import PROJECT

STOP_S = 20.0


class Companion:
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
        self._command = [sys.executable, "-m", "flows.leash", environment[LOCK], *arguments]
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
        """Tell whether it has ended, though nobody asked it to."""
        return self._process is not None and self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return self._process.returncode if self._process else None

    @property
    def pid(self) -> int:
        """Its process id, which is its group's as well."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Companion:
        """Start it with a fresh log."""
        self.log.unlink(missing_ok=True)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it and all it started: politely first, so that a worker can put its runs down."""
        assert self._process is not None
        for number, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, 5.0)):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(timeout=patience)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue
