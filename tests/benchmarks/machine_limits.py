"""A whole build on one core and two, with little memory and much: seconds and peak memory.

Run: python -m tests.benchmarks.machine_limits [--briefs 2000] [--memory 500MB 1GB 4GB] [--cores 1 2] [--hard]

Each build is a process of its own in a new data folder, pinned to its cores, with REDIAL_MEMORY for
DuckDB. Peak memory is the largest process's, libraries included, which REDIAL_MEMORY does not
count. With --hard the amount is instead what a control group holds in all, as a container does: the
build, its private server and the page cache; REDIAL_MEMORY is not set then, and the peak is the
group's. A build that fails is shown with its exit code and its last line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from tasks.machine import in_bytes
from tests.support.memory_group import memory_group
from tests.support.synthetic import Size, write_domain

PINNED = """
import os, pathlib, sys
if sys.argv[2]:
    pathlib.Path(sys.argv[2]).write_text(str(os.getpid()))
os.sched_setaffinity(0, map(int, sys.argv[1].split(",")))
sys.argv[:] = ["redial", *sys.argv[3:]]
from llm_redial.cli import main
main()
"""


def main() -> None:
    """Print a row for each number of cores and amount of memory."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--briefs", type=int, default=2_000)
    options.add_argument("--memory", nargs="+", default=["500MB", "1GB", "4GB"])
    options.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    options.add_argument("--hard", action="store_true", help="limit the whole, as a container does")
    chosen = options.parse_args()
    print(
        f"| cores | {'container' if chosen.hard else 'REDIAL_MEMORY'} | seconds | processor seconds | peak MiB | ended |"
    )
    print("|---:|---:|---:|---:|---:|---|", flush=True)
    for cores in chosen.cores:
        for memory in chosen.memory:
            cells = _built(chosen.briefs, cores, memory, hard=chosen.hard)
            print(f"| {cores} | {memory} | {cells} |", flush=True)


def _built(briefs: int, cores: int, memory: str, *, hard: bool) -> str:
    """Build in a new folder; return the last cells of the row."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile("w+") as said,
        memory_group(in_bytes(memory)) if hard else nullcontext() as group,
    ):
        users = briefs // 2
        size = Size(users, max(100, users * 25 // 40), briefs)
        write_domain(Path(folder), "bench", size, seed=1)
        free = sorted(os.sched_getaffinity(0))[:cores]
        joined = str(group.joined) if group else ""
        command = [sys.executable, "-c", PINNED, ",".join(map(str, free)), joined]
        command += ["--data", folder, "build", "bench"]
        began = time.perf_counter()
        allowed = {} if hard else {"REDIAL_MEMORY": memory}
        process = subprocess.Popen(command, env=os.environ | allowed, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        last = (said.read().strip().splitlines() or [""])[-1]
        peak = group.peak_mib() if group else used.ru_maxrss / 1024
        released = any(Path(folder, "releases", "bench").glob("*/SHA256SUMS"))
    ended = "built" if released else f"{process.returncode}: {last[:120]}"
    cpu = used.ru_utime + used.ru_stime
    return f"{wall:.1f} | {cpu:.1f} | {peak:,.0f} | {ended}"


if __name__ == "__main__":
    main()
