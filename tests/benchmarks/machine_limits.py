"""A whole build on one core and two, with little memory and much: seconds and peak memory.

Run: python -m tests.benchmarks.machine_limits [--briefs 2000] [--memory 500MB 1GB 4GB] [--cores 1 2]

Each build is a process of its own in a new data folder, pinned to its cores, with REDIAL_MEMORY for
DuckDB. Peak memory is the largest process's, libraries included, which REDIAL_MEMORY does not
count. A build that fails is shown with its exit code and its last line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.synthetic import Size, write_domain

PINNED = """
import os, sys
os.sched_setaffinity(0, map(int, sys.argv[1].split(",")))
sys.argv[:] = ["redial", *sys.argv[2:]]
from llm_redial.cli import main
main()
"""


def main() -> None:
    """Print a row for each number of cores and amount of memory."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--briefs", type=int, default=2_000)
    options.add_argument("--memory", nargs="+", default=["500MB", "1GB", "4GB"])
    options.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    chosen = options.parse_args()
    print("| cores | REDIAL_MEMORY | seconds | processor seconds | peak MiB | ended |")
    print("|---:|---:|---:|---:|---:|---|", flush=True)
    for cores in chosen.cores:
        for memory in chosen.memory:
            print(f"| {cores} | {memory} | {_built(chosen.briefs, cores, memory)} |", flush=True)


def _built(briefs: int, cores: int, memory: str) -> str:
    """Build in a new folder; return the last cells of the row."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        users = briefs // 2
        size = Size(users, max(100, users * 25 // 40), briefs)
        write_domain(Path(folder), "bench", size, seed=1)
        free = sorted(os.sched_getaffinity(0))[:cores]
        command = [sys.executable, "-c", PINNED, ",".join(map(str, free))]
        command += ["--data", folder, "build", "bench"]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=os.environ | {"REDIAL_MEMORY": memory}, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        last = (said.read().strip().splitlines() or [""])[-1]
        released = any(Path(folder, "releases", "bench").glob("*/SHA256SUMS"))
    ended = "built" if released else f"{process.returncode}: {last[:120]}"
    cpu = used.ru_utime + used.ru_stime
    return f"{wall:.1f} | {cpu:.1f} | {used.ru_maxrss / 1024:,.0f} | {ended}"


if __name__ == "__main__":
    main()
