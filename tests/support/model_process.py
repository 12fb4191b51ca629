"""The mock model server as a process of its own, and a handle to steer it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ModelServer:
    """A running server."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        """What is given as `api_base`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def tally(self) -> dict[str, Any]:
        """Return what was counted."""
        return dict(self._call("tally"))

    def billed(self) -> int:
        """Return how many answers were billed."""
        return int(self._call("count"))

    def behave(self, **changes: Any) -> None:
        """Change its behaviour."""
        self._call("behave", changes)

    def reset(self) -> None:
        """Forget what was counted."""
        self._call("reset", {})

    def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@contextmanager
def model_server(**behaviour: Any) -> Iterator[ModelServer]:
    """Run a server for the length of the block."""
    command = [
        sys.executable,
        "-m",
        "tests.support.model_server",
        "--port",
        "0",
        "--set",
        json.dumps(behaviour),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    try:
        assert process.stdout is not None
        yield ModelServer(int(process.stdout.readline().split()[1]), process.pid)
    finally:
        process.kill()
        process.wait()
