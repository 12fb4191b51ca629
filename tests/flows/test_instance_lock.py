"""Whoever follows the lock of `redial serve` ends with it, grandchildren in sessions of their own included."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.server.instance_lock import LOCK, single_instance_lock
from tasks.errors import UserError
from tasks.polling import wait_until
from tasks.settings.paths import PROJECT

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from flows.server.instance_lock import single_instance_lock
with single_instance_lock(Path(sys.argv[1])):
    command = [sys.executable, "-m", "flows.server.instance_lock", sys.argv[1], "tests.support.grandparent", sys.argv[2]]
    child = subprocess.Popen(command, start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Return True if a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_followers_end_with_the_holder(tmp_path: Path, how: signal.Signals) -> None:
    lock, note = tmp_path / "a" / "b" / "lock", tmp_path / "grandchild"
    lock.parent.mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock), str(note)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    assert wait_until(note.exists, 30)
    grandchild = int(note.read_text("ascii"))
    assert os.getsid(grandchild) != os.getsid(child)
    assert alive(child) and alive(grandchild)

    holder.send_signal(how)
    holder.wait()
    assert wait_until(lambda: not alive(child) and not alive(grandchild), 30)


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "prefect" / "serve" / "lock"
    lock.parent.mkdir(parents=True)
    with (
        single_instance_lock(lock),
        pytest.raises(UserError, match=f"already running on the data folder {tmp_path}"),
        single_instance_lock(lock),
    ):
        pass
    with single_instance_lock(lock):
        pass


def test_a_run_outside_redial_serve_follows_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from flows.server.instance_lock import exit_when_server_stops

    monkeypatch.delenv(LOCK, raising=False)
    exit_when_server_stops()
    assert not any(thread.name == "follow-lock" for thread in threading.enumerate())
