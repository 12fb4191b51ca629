"""The `redial` command as a process of its own, and the environment it is started in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENTRY_POINT = "from flows.cli import main; main()"


def redial_command(data: Path | None, *words: str) -> list[str]:
    """Return the words that start `redial`, with its data folder if one is given."""
    options = [] if data is None else ["--data", str(data)]
    return [sys.executable, "-c", ENTRY_POINT, *options, *words]


def environment_without(prefix: str) -> dict[str, str]:
    """Return this process's environment without the variables whose names begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
