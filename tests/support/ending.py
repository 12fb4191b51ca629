"""Ending a process that a test started."""

from __future__ import annotations

import signal
import subprocess
from typing import Any


def end_process(
    process: subprocess.Popen[Any], by: int = signal.SIGTERM, patience_s: float = 20
) -> None:
    """End a process by a signal, and by force if it has not ended within `patience_s` seconds."""
    process.send_signal(by)
    try:
        process.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
