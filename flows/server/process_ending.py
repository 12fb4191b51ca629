"""Ends processes together with all they started: by SIGTERM, and after some patience by SIGKILL.

Every process that is ended here leads a process group of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

from flows.server.process_identity import has_ended
from tasks.polling import wait_until

FORCED_S = 5.0  # for the system to end a process that was sent SIGKILL


def end_child(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """End a process that this one has started, and wait until it is gone."""
    for number, patience in ((signal.SIGTERM, patience_s), (signal.SIGKILL, FORCED_S)):
        _signal_group(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
            return


def end_processes(pids: list[int], patience_s: float) -> None:
    """End processes of this machine that somebody else has started; wait until they are gone."""
    left = pids
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            _signal_group(pid, number)
        if wait_until(lambda: all(map(has_ended, pids)), patience_s):
            return
        left = [pid for pid in pids if not has_ended(pid)]


def end_own_group(patience_s: float) -> None:
    """End this process and its group."""
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(patience_s)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
