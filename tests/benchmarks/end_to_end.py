"""The whole build on a synthetic domain with the mock model: seconds, rows a second and memory for each stage.

Memory is the most the process has held up to the end of the stage, libraries included.

python -m tests.benchmarks.end_to_end --briefs 10000
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.synthetic import Size, write_domain

PER_USER = 2
REVIEWS_PER_ITEM = 40


def peak_mib() -> float:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Stopwatch:
    """A progress sink that notes when stages begin and end."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}
        self.rows: list[tuple[str, float, str]] = []
        self.peaks: list[float] = []

    def stage(self, name: str, state: str, detail: str = "") -> None:
        if state == "running":
            self.began.setdefault(name, time.perf_counter())
        else:
            self.rows.append((name, time.perf_counter() - self.began[name], detail))
            self.peaks.append(peak_mib())

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        pass


def build(data: Path, domain: str, workers: int) -> tuple[Stopwatch, Any]:
    from flows.options import BuildOptions
    from flows.server.ephemeral import run_flow
    from tasks.settings import Home

    home, watch = Home.find(data), Stopwatch()

    async def start() -> Any:
        from flows.build import build as flow

        return await flow(domain, BuildOptions(workers=workers), str(data))

    return watch, run_flow(home, domain, watch, start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--briefs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1, help="processes that write dialogues")
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        data = options.data or Path(aside)
        users = options.briefs // PER_USER
        reviews = write_domain(
            data,
            "bench",
            Size(users, max(100, users * 25 // REVIEWS_PER_ITEM), options.briefs),
            seed=1,
        )
        began = time.perf_counter()
        watch, result = build(data, "bench", options.workers)
        wall = time.perf_counter() - began
    out = sys.stdout
    out.write(
        f"{reviews:,} reviews, {options.briefs:,} briefs, mock model, {os.cpu_count()} cores\n\n"
    )
    out.write("| stage | seconds | rows | rows a second | peak MiB |\n|---|---:|---:|---:|---:|\n")
    for (name, seconds, detail), peak in zip(watch.rows, watch.peaks, strict=True):
        count = int(detail.split()[0].replace(",", "")) if detail[:1].isdigit() else 0
        told = f"{count:,} | {count / seconds:,.0f}" if count else " | "
        out.write(f"| {name} | {seconds:.1f} | {told} | {peak:,.0f} |\n")
    out.write(
        f"| whole build | {wall:.1f} | {result.statistics['#Dialogues']:,} dialogues | | {peak_mib():,.0f} |\n"
    )
    out.flush()
    os._exit(0)  # DuckDB objects that Prefect still holds would be complained about


if __name__ == "__main__":
    main()
