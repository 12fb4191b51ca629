"""Time and memory of reading and judging, by the number of dialogues.

    python -m tests.benchmarks.quality_gate [--sizes 10000 30000 100000] [--titles 110000] [--profile grounded]

Each size is made and judged in processes of its own. "gate" is facts, Great Expectations, rejections and verdicts, without the import of
Great Expectations; CPU seconds are of all threads, peak memory of the whole process, libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.settings import Domain, Home

STEP = 5_000


def make(path: str, dialogues: int, titles: int, profile: str) -> None:
    """Write a warehouse of made-up dialogues, one in ten of them spoiled."""
    from tests.support import conversations as made

    catalogue = made.titles(titles)
    con = made.warehouse([], catalogue, path)
    for begin in range(0, dialogues, STEP):
        some = [made.conversation(number, catalogue) for number in range(begin, min(begin + STEP, dialogues))]
        made.plan(con, some, begin)
        texts = [getattr(one, profile)() for one in some]
        spoiled = [text.replace("the", "th\ufffd", 1) if place % 10 == 0 else text for place, text in enumerate(texts)]
        made.answer(con, [(one.dialogue_id, text) for one, text in zip(some, spoiled, strict=True)], profile)
    con.close()


def measure(path: str, profile: str) -> dict[str, Any]:
    """Read and judge the warehouse; return seconds, CPU seconds and peak memory by step."""
    import great_expectations

    from tasks.dialogues import parse_transcripts
    from tasks.quality import judge, set_verdicts
    from tasks.warehouse import open_warehouse

    domain = Domain.model_validate(
        {
            "name": "benchmark",
            "sources": {"format": "amazon_2014", "reviews": ["none"]},
            "generate": {"profile": profile},
            "quality": {"suites": ["paper", "grounded"]},
        }
    )
    found: dict[str, Any] = {"gx": great_expectations.__version__, "import_mb": _peak()}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began, cpu = time.perf_counter(), time.process_time()
        result = work()
        found[name] = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak_mb": _peak()}
        return result

    with open_warehouse(Path(path)) as con:
        con.execute("BEGIN")
        found["utterances"] = timed("parse", lambda: parse_transcripts(con, domain, 1)).utterances
        found["rejected"] = timed("gate", lambda: judge(con, Home(), domain, 1)).rejected
        timed("verdicts", lambda: set_verdicts(con))
        con.execute("COMMIT")
    return found


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    arguments.add_argument("--titles", type=int, default=110_000)
    arguments.add_argument("--profile", default="grounded", choices=["grounded", "paper"])
    arguments.add_argument("--make")
    arguments.add_argument("--measure")
    given = arguments.parse_args()
    if given.make:
        return make(given.make, given.sizes[0], given.titles, given.profile)
    if given.measure:
        return print(json.dumps(measure(given.measure, given.profile)))
    print("dialogues utterances rejected | parse s  (cpu)  per s | gate s  (cpu)  us/dialogue | peak MB (after imports)")
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/made.duckdb"
            common = [sys.executable, "-m", "tests.benchmarks.quality_gate", "--profile", given.profile]
            subprocess.run([*common, "--make", path, "--sizes", str(size), "--titles", str(given.titles)], check=True)
            told = subprocess.run([*common, "--measure", path], check=True, capture_output=True, text=True).stdout
            _print(size, json.loads(told.splitlines()[-1]))
    return None


def _print(size: int, found: dict[str, Any]) -> None:
    parse, seconds = found["parse"], found["gate"]["seconds"] + found["verdicts"]["seconds"]
    cpu = found["gate"]["cpu"] + found["verdicts"]["cpu"]
    print(
        f"{size:9,} {found['utterances']:10,} {found['rejected']:8,}"
        f" | {parse['seconds']:7.1f} {parse['cpu']:6.1f} {size / parse['seconds']:7,.0f}"
        f" | {seconds:6.1f} {cpu:6.1f} {1e6 * seconds / size:12.0f}"
        f" | {found['verdicts']['peak_mb']:7.0f} ({found['import_mb']:.0f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
