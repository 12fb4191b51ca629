"""The `redial` command as a process of its own, and the environment it is started in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from flows.server.ephemeral import PrivateServer
from tests.support.forked import Forked, fork, run_forked

ENTRY_POINT = "from flows.cli import main; main()"


def redial_command(data: Path | None, *words: str) -> list[str]:
    """Return the words that start `redial`, with its data folder if one is given."""
    options = [] if data is None else ["--data", str(data)]
    return [sys.executable, "-c", ENTRY_POINT, *options, *words]


def run_redial(
    data: Path, *words: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `redial` to its end in a process that is forked; see `tests.support.forked`."""
    arguments = ("--data", str(data), *words)
    return run_forked("flows.cli:main", *arguments, environment=environment)


def start_redial(data: Path, *words: str, environment: Mapping[str, str] | None = None) -> Forked:
    """Start `redial` in a process that is forked; see `tests.support.forked`."""
    return fork("flows.cli:main", "--data", str(data), *words, environment=environment)


def environment_with(server: PrivateServer) -> dict[str, str]:
    """Return this process's environment with a Prefect server that flows are run on."""
    return {
        **os.environ,
        "PREFECT_API_URL": server.api,
        "PREFECT_API_AUTH_STRING": server.login,
    }


def environment_without(prefix: str) -> dict[str, str]:
    """Return this process's environment without the variables whose names begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
