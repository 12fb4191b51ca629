"""100,000 briefs: memory, and the time a call takes from the first tenth to the last; then the whole run again from the store.

The model is the mock model, or with `--server` a mock server that answers at once.

    python -m tests.benchmarks.generate_scale --briefs 100000
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from tasks.generate import GenerateCounts, Progress, Single, Work, generate_transcripts
from tasks.prompts import render
from tasks.settings import Generate
from tasks.warehouse import open_warehouse
from tests.support import made_up_briefs
from tests.support.model_process import model_server


def memory_mib() -> float:
    """Return what this process holds in memory now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Tenths:
    """Prints a line whenever another tenth is done."""

    def __init__(self, total: int) -> None:
        self.step, self.due, self.last = (
            total // 10,
            total // 10,
            (0, time.perf_counter(), time.process_time()),
        )

    def __call__(self, now: Progress) -> None:
        if now.done < self.due:
            return
        done, wall, busy = now.done, time.perf_counter(), time.process_time()
        calls = done - self.last[0]
        wall_ms, busy_ms = (
            (wall - self.last[1]) / calls * 1000,
            (busy - self.last[2]) / calls * 1000,
        )
        print(
            f"{done:8,} done  {wall_ms:6.2f} ms a call ({busy_ms:.2f} ms of CPU)  {memory_mib():6.0f} MiB",
            flush=True,
        )
        self.last = done, wall, busy
        self.due = (done // self.step + 1) * self.step


def main() -> None:
    """Run twice and print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=100_000)
    parser.add_argument(
        "--server", action="store_true", help="ask a mock server in place of the mock model"
    )
    chosen = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "sk-benchmark")
    profile, goals = made_up_briefs.profile_and_goals()
    work = Work(
        made_up_briefs.ids(chosen.briefs),
        made_up_briefs.curated,
        Single(partial(render, profile, goals)),
        "grounded",
    )
    with (
        model_server() if chosen.server else nullcontext() as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = (
            Generate(model="openai/gpt-4o-mini", api_base=server.address) if server else Generate()
        )
        for name in ("asked", "again, from the store"):
            with open_warehouse(Path(folder) / "bench.duckdb") as con:
                counts: GenerateCounts = asyncio.run(
                    generate_transcripts(
                        con,
                        work,
                        settings,
                        Path(folder) / "journals",
                        name,
                        on_progress=Tenths(chosen.briefs),
                    )
                )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{name}: {counts.answered:,} answered, {counts.usage.sent:,} sent, {counts.seconds:.0f} s, peak memory {peak:.0f} MiB"
            )


if __name__ == "__main__":
    main()
