"""Ingest, preprocessing and briefs on sources as large as the real ones, against gunzip of the same files.

Run: python -m tests.benchmarks.raw_size [--reviews 1400000 5600000 22500000] [--memory 2GB] [--folder FOLDER]

Each size runs in a process of its own. The files are written first and not timed; with --folder they
stay there and are found again, else each size's are deleted before the next. `memory` is what
REDIAL_MEMORY allows DuckDB; the peak is that of the whole process up to the end of a stage.
Goal: all three stages at most 2.5 times gunzip on two cores, peak under 4 GiB, linear.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.raw_reviews import RawSize, write_raw

SIZES = (1_400_000, 5_600_000, 22_500_000)
PER_BRIEF = 450  # reviews for each brief that is planned: 50,000 of 22.5 million


@dataclass(frozen=True)
class Stage:
    """A stage's seconds, processor seconds, and the most memory held up to its end in MiB."""

    name: str
    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Write the files of each size, measure, print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--reviews", type=int, nargs="+", default=SIZES)
    options.add_argument("--words", type=int, default=59, help="median words of a review")
    options.add_argument("--memory", default="2GB")
    options.add_argument("--threads", default="2")
    options.add_argument("--folder", type=Path, help="where the generated files stay")
    options.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    size = partial(RawSize.of, words=chosen.words)
    if chosen.run:
        sys.stdout.write(json.dumps(measured(chosen.run, size(chosen.reviews[0]))) + "\n")
        return
    print("| reviews | GB, packed | stage | seconds | of CPU | x gunzip | peak MiB |")
    print("|---:|---:|---|---:|---:|---:|---:|")
    for reviews in chosen.reviews:
        with _folder(chosen.folder, size(reviews)) as folder:
            write_raw(folder, size(reviews))
            found = _in_a_process(folder, size(reviews), chosen.memory, chosen.threads)
        _print(reviews, found)


@contextmanager
def _folder(kept: Path | None, size: RawSize) -> Iterator[Path]:
    if kept:
        yield kept / f"{size.reviews}x{size.words}"
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)


def _in_a_process(folder: Path, size: RawSize, memory: str, threads: str) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name, "--run", str(folder)]
    command += ["--reviews", str(size.reviews), "--words", str(size.words)]
    environment = os.environ | {"REDIAL_MEMORY": memory, "REDIAL_THREADS": threads}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def measured(folder: Path, size: RawSize) -> dict[str, Any]:
    """Run gunzip and the three stages on the files of a folder; return what was measured."""
    from tasks.briefs import plan_briefs
    from tasks.ingest import ingest
    from tasks.preprocess import preprocess
    from tasks.settings import Domain, Home
    from tasks.templates import load_templates
    from tasks.warehouse import open_warehouse

    paths = write_raw(folder, size)
    sources = {"format": "amazon_2014", "reviews": [str(paths[0])], "metadata": [str(paths[1])]}
    domain = Domain.model_validate(
        {
            "name": "bench",
            "sources": sources,
            "briefs": {"max_dialogues": max(1, size.reviews // PER_BRIEF)},
        }
    )
    templates = load_templates(Home()).templates
    stages = [_clocked("gunzip", lambda: [_gunzip(path) for path in paths])]
    with (
        tempfile.TemporaryDirectory(dir=folder) as scratch,
        open_warehouse(Path(scratch) / "bench.duckdb") as con,
    ):
        for name, work in (
            ("ingest", lambda: ingest(con, domain)),
            ("preprocess", lambda: preprocess(con, domain)),
            ("briefs", lambda: plan_briefs(con, domain, templates)),
        ):
            stages.append(_clocked(name, lambda work=work: _committed(con, work)))  # type: ignore[misc]
        kept = sum(file.stat().st_size for file in Path(scratch).iterdir() if file.is_file())
    return {
        "packed": sum(path.stat().st_size for path in paths),
        "warehouse": kept,
        "stages": [asdict(stage) for stage in stages],
    }


def _committed(con: Any, work: Callable[[], Any]) -> None:
    con.begin()
    counts = work()
    con.commit()
    sys.stderr.write(f"{counts}\n")


def _gunzip(path: Path) -> None:
    tool = shutil.which("gzip")
    if tool is None:
        raise SystemExit("gzip is not installed: there is nothing to compare with")
    subprocess.run([tool, "-dc", str(path)], stdout=subprocess.DEVNULL, check=True)


def _clocked(name: str, work: Callable[[], Any]) -> Stage:
    began, used = time.perf_counter(), _processor_seconds()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Stage(name, time.perf_counter() - began, _processor_seconds() - used, peak)


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _print(reviews: int, found: dict[str, Any]) -> None:
    stages = [Stage(**stage) for stage in found["stages"]]
    gunzip, *ours = stages
    together = Stage(
        "all three",
        sum(stage.wall for stage in ours),
        sum(stage.cpu for stage in ours),
        max(stage.peak for stage in ours),
    )
    for stage in (*stages, together):
        size = f"{reviews:,} | {found['packed'] / 1e9:.2f} | {stage.name}"
        times = f"{stage.wall:.1f} | {stage.cpu:.1f} | {stage.wall / gunzip.wall:.2f}"
        print(f"| {size} | {times} | {stage.peak:,.0f} |", flush=True)
    print(f"\nwarehouse {found['warehouse'] / 1e9:.2f} GB\n", flush=True)


if __name__ == "__main__":
    main()
