"""Garbage that has to wait for a database makes nobody else wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tasks.settings.paths import PROJECT

# A cursor in the middle of its rows becomes garbage while another thread waits, on the same
# connection, for a lock that only this thread would give up: whoever collects that cursor waits as
# well.
STANDSTILL = """
import gc, sqlite3, sys, threading, time
from flows.server.gc_thread import collect_in_own_thread

path = sys.argv[1]
holder = sqlite3.connect(path, isolation_level=None)
waiter = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=8)
if sys.argv[2] == "aside":
    collect_in_own_thread()
loop = [waiter.execute("SELECT 1 UNION SELECT 2")]
loop[0].fetchone()
loop.append(loop)
holder.execute("BEGIN IMMEDIATE")
over = threading.Event()

def wait():
    try:
        waiter.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        pass
    over.set()

threading.Thread(target=wait).start()
time.sleep(1)
del loop
kept, until = [], time.monotonic() + 2.5
while time.monotonic() < until and not over.is_set():
    kept.append([])
    if len(kept) % 1000 == 0:
        time.sleep(0.001)
print("stood still" if over.wait(1) else "went on", flush=True)
holder.execute("ROLLBACK")
"""


def ending(tmp_path: Path, how: str) -> str:
    command = [sys.executable, "-c", STANDSTILL, str(tmp_path / "some.db"), how]
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


def test_without_it_a_thread_waits_for_its_own_lock(tmp_path: Path) -> None:
    """The standstill is real: should a later Python not have it, flows/server/gc_thread.py can go."""
    assert ending(tmp_path, "as shipped") == "stood still"


def test_the_thread_that_holds_the_lock_goes_on(tmp_path: Path) -> None:
    assert ending(tmp_path, "aside") == "went on"
