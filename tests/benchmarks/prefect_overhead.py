"""What Prefect adds to the demo build: the same stages called plainly and through the flow, in turn, each in a process of its own.

Beside other work the clock says little; the processor time of the process that builds is steadier.
The private server, on another core, is not in it.

python -m tests.benchmarks.prefect_overhead --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.settings.paths import PROJECT
from tests.support.command import environment_without

COLUMNS = ("imports and start", "stages", "end", "whole process", "processor time of the stages")
MOST_SHARE, MOST_START_S = 0.10, 20.0


def _imports() -> None:
    import great_expectations  # noqa: F401

    import flows.build  # noqa: F401
    import tasks.mock_model  # noqa: F401


def plainly(data: Path, began: float) -> dict[str, float]:
    """Call the stages; return seconds until they began and seconds they took."""
    from tasks.settings import Home
    from tests.support.plain_build import plain_build

    _imports()
    start, used = time.time(), time.process_time()
    plain_build(Home.find(data), "demo")
    return {
        COLUMNS[0]: start - began,
        COLUMNS[1]: time.time() - start,
        COLUMNS[4]: time.process_time() - used,
    }


def by_prefect(data: Path, began: float) -> dict[str, float]:
    """Run the flow as the command line does, on a private server."""
    from flows.options import BuildOptions
    from flows.progress import Silent
    from flows.server.ephemeral import run_flow
    from tasks.settings import Home

    seen: dict[str, float] = {}

    async def start() -> Any:
        from flows.build import build

        seen[COLUMNS[0]] = time.time() - began
        ran, used = time.time(), time.process_time()
        await build("demo", BuildOptions(), str(data))
        seen.update({COLUMNS[1]: time.time() - ran, COLUMNS[4]: time.process_time() - used})

    run_flow(Home.find(data), "demo", Silent(), start)
    return seen


WAYS: dict[str, Callable[[Path, float], dict[str, float]]] = {
    "plain": plainly,
    "prefect": by_prefect,
}


def measure(way: str) -> dict[str, float]:
    """Build the demo once in a fresh process and folder."""
    with tempfile.TemporaryDirectory() as data:
        environment = environment_without("PREFECT_")
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.prefect_overhead",
            "--way",
            way,
            "--data",
            data,
            "--began",
            str(time.time()),
        ]
        began = time.time()
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, check=True
        )
        whole = time.time() - began
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**seen, COLUMNS[2]: whole - seen[COLUMNS[0]] - seen[COLUMNS[1]], COLUMNS[3]: whole}


def table(rounds: list[tuple[str, dict[str, float]]]) -> str:
    """Return all rounds, the medians and what Prefect adds."""
    lines = [f"| | {' | '.join(COLUMNS)} |", f"|---|{'---:|' * len(COLUMNS)}"]
    lines += [
        f"| {way} | {' | '.join(f'{seen[name]:.1f}' for name in COLUMNS)} |" for way, seen in rounds
    ]
    middle = {
        way: {
            name: statistics.median(seen[name] for which, seen in rounds if which == way)
            for name in COLUMNS
        }
        for way in WAYS
    }
    lines += [
        f"| {way}, median | {' | '.join(f'{middle[way][name]:.1f}' for name in COLUMNS)} |"
        for way in WAYS
    ]
    stages = middle["prefect"]["stages"] / middle["plain"]["stages"] - 1
    start = middle["prefect"][COLUMNS[0]] - middle["plain"][COLUMNS[0]]
    held = "held" if stages <= MOST_SHARE else "MISSED"
    start_held = "held" if start <= MOST_START_S else "MISSED"
    used = middle["prefect"][COLUMNS[4]] / middle["plain"][COLUMNS[4]] - 1
    lines += [
        "",
        f"Prefect adds {stages:+.1%} to the stages (at most {MOST_SHARE:.0%}: {held}), {used:+.1%} to their processor time",
    ]
    lines += [
        f"without the server's, and {start:+.1f} s at the start (at most {MOST_START_S:.0f} s: {start_held});"
    ]
    lines += [f"load average {os.getloadavg()[0]:.1f}."]
    return "\n".join(lines)


def main() -> None:
    """Measure in turn and print the table; or, called by itself, build once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--began", type=float)
    options = parser.parse_args()
    if options.way:
        sys.stdout.write(json.dumps(WAYS[options.way](options.data, options.began)) + "\n")
        sys.stdout.flush()
        os._exit(0)  # DuckDB objects that Prefect still holds would be complained about
    rounds = [(way, measure(way)) for _ in range(options.rounds) for way in WAYS]
    sys.stdout.write(table(rounds) + "\n")


if __name__ == "__main__":
    main()
