"""Which libraries a command imports, in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys

RUN = """
import sys
from flows.cli import app
app(sys.argv[2:], prog_name="redial", standalone_mode=False)
print("imported:", *(name for name in sys.argv[1].split() if name in sys.modules), file=sys.stderr)
"""


def imported(watched: tuple[str, ...], *words: str) -> list[str]:
    """Return which of some libraries are imported once a command has ended."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    command = [sys.executable, "-c", RUN, " ".join(watched), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stderr.splitlines()[-1].split()[1:]
