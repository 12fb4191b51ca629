"""How long commands take to start: processor seconds of a command and of what it starts, and seconds on the clock.

The best of several rounds counts. Beside other work the clock says little; processor time is steadier.

python -m tests.benchmarks.start_up --rounds 5
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.settings.paths import PROJECT
from tests.support.command import environment_without

ENTRY = "from llm_redial.cli import main; main()"


@dataclass(frozen=True)
class Measured:
    """What a command took: seconds of processor time with its children's, and seconds on the clock."""

    processor_s: float
    wall_s: float


@dataclass(frozen=True)
class Target:
    """A command and what it may take at most; None where nothing is promised."""

    words: tuple[str, ...]
    processor_s: float | None = None
    wall_s: float | None = None


def run(data: Path, words: Sequence[str]) -> Measured:
    """Run a command in a fresh interpreter and wait for it."""
    command = [sys.executable, "-c", ENTRY, "--data", str(data), *words]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command,
        cwd=PROJECT,
        env=environment_without("PREFECT_"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return Measured(used, time.perf_counter() - began)


def best(measure: Callable[[], Measured], rounds: int) -> Measured:
    """Return the least of each figure."""
    found = [measure() for _ in range(rounds)]
    return Measured(min(one.processor_s for one in found), min(one.wall_s for one in found))


def first_build() -> Measured:
    """Build the demo in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), ("build", "demo"))


def row(name: str, found: Measured, target: Target) -> str:
    """Return a row of the table."""
    wanted = [
        f"{limit:g} s of {what}"
        for limit, what in ((target.processor_s, "processor time"), (target.wall_s, "wall time"))
        if limit is not None
    ]
    return f"| {name} | {found.processor_s:.2f} | {found.wall_s:.2f} | {', '.join(wanted)} |"


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    rounds = arguments.parse_args().rounds
    load = os.getloadavg()[0]
    rows = [
        row(
            "`redial build demo`, a new folder",
            best(first_build, max(1, rounds // 2)),
            Target((), wall_s=8),
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        run(data, ("build", "demo"))
        dialogue = _some_dialogue(data)
        looks = [
            Target(("--help",), processor_s=0.25),
            Target(("list",), processor_s=0.5),
            Target(("funnel", "demo"), processor_s=0.5),
            Target(("show", dialogue), processor_s=0.5),
            Target(("build", "demo"), wall_s=4),
        ]
        for look in looks:
            shown = " ".join("ID" if word == dialogue else word for word in look.words)
            again = ", again" if look.words[0] == "build" else ""
            found = best(lambda words=look.words: run(data, words), rounds)  # type: ignore[misc]
            rows.append(row(f"`redial {shown}`{again}", found, look))
    print("| command | processor s | wall s | at most |\n|---|---:|---:|---|")
    print("\n".join(rows))
    print(f"\n{os.cpu_count()} cores, load {load:.1f} before it began.")


def _some_dialogue(data: Path) -> str:
    import duckdb

    with duckdb.connect(str(data / "warehouse" / "demo.duckdb"), read_only=True) as con:
        ((found,),) = con.execute("SELECT min(dialogue_id) FROM utterances").fetchall()
    return str(found)


if __name__ == "__main__":
    main()
