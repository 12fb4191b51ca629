"""Time and memory of reading and judging, by the number of dialogues.

    python -m tests.benchmarks.quality_gate [--sizes 10000 30000 100000] [--titles 110000]
    [--profile grounded]

Each size is made, read, judged, and judged once more as published, in processes of its own. "gate"
is facts, Great Expectations, rejections and verdicts, without the import of Great Expectations; CPU
seconds are of all threads, peak memory of the whole process, libraries and DuckDB included.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tasks.settings import Domain, Home
from tests.support.rules import rules_of

STEP = 5_000
_ACCEPTED_TEXTS = """
WITH accepted AS (SELECT dialogue_id FROM verdicts WHERE verdict = 'accepted')
SELECT dialogue_id, turn, role, text FROM utterances SEMI JOIN accepted USING (dialogue_id)
"""


def make(path: str, dialogues: int, titles: int, profile: str) -> None:
    """Write a warehouse of made-up dialogues, one in ten of them spoiled."""
    from tests.support import conversations as made

    catalogue = made.titles(titles)
    con = made.warehouse([], catalogue, path)
    for begin in range(0, dialogues, STEP):
        some = [
            made.conversation(number, catalogue)
            for number in range(begin, min(begin + STEP, dialogues))
        ]
        made.plan(con, some, begin)
        texts = [getattr(one, profile)() for one in some]
        spoiled = [
            text.replace("the", "th\ufffd", 1) if place % 10 == 0 else text
            for place, text in enumerate(texts)
        ]
        made.answer(
            con, [(one.dialogue_id, text) for one, text in zip(some, spoiled, strict=True)], profile
        )
    con.close()


def measure(path: str, profile: str, step: str) -> dict[str, Any]:
    """Read or judge the warehouse; return seconds, CPU seconds, peak memory and what was counted."""
    from tasks.dialogues import parse_transcripts
    from tasks.quality import judge, set_verdicts, validate_published
    from tasks.warehouse import open_warehouse

    if step in ("gate", "published"):
        importlib.import_module("great_expectations")
    settings = {
        "name": "benchmark",
        "sources": {"format": "amazon_2014", "reviews": ["none"]},
        "generate": {"profile": profile},
    }
    domain = Domain.model_validate({**settings, "quality": {"suites": ["paper", "grounded"]}})
    imported = _peak()
    with open_warehouse(Path(path)) as con:
        con.execute("BEGIN")
        began, cpu = time.perf_counter(), time.process_time()
        if step == "parse":
            counted = parse_transcripts(con, domain, 1).utterances
        elif step == "published":
            texts = con.sql(_ACCEPTED_TEXTS).pl()
            home = Home(data=Path(path).parent)
            rules = rules_of(home, domain)
            counted = validate_published(con, home, rules, domain, texts).dialogues
        else:
            counted = judge(con, rules_of(Home(), domain), domain, 1).rejected
            set_verdicts(con)
        spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        con.execute("COMMIT")
    return {**spent, "counted": counted, "imported": imported, "peak": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    arguments.add_argument("--titles", type=int, default=110_000)
    arguments.add_argument("--profile", default="grounded", choices=["grounded", "paper"])
    arguments.add_argument("--make")
    arguments.add_argument("--parse")
    arguments.add_argument("--gate")
    arguments.add_argument("--published")
    given = arguments.parse_args()
    if given.make:
        return make(given.make, given.sizes[0], given.titles, given.profile)
    for step, path in (
        ("parse", given.parse),
        ("gate", given.gate),
        ("published", given.published),
    ):
        if path:
            return print(json.dumps(measure(path, given.profile, step)))
    head = "dialogues utterances rejected | parse s  (cpu)  per s  peak MB | gate s  (cpu)  us/dialogue  peak MB (after imports)"
    print(f"{head} | published s  (cpu)  peak MB")
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/made.duckdb"
            common = [
                sys.executable,
                "-m",
                "tests.benchmarks.quality_gate",
                "--profile",
                given.profile,
            ]
            subprocess.run(
                [*common, "--make", path, "--sizes", str(size), "--titles", str(given.titles)],
                check=True,
            )
            _print(
                size,
                *(_told([*common, f"--{step}", path]) for step in ("parse", "gate", "published")),
            )
    return None


def _told(command: list[str]) -> dict[str, Any]:
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return told


def _print(
    size: int, parse: dict[str, Any], gate: dict[str, Any], published: dict[str, Any]
) -> None:
    print(
        f"{size:9,} {parse['counted']:10,} {gate['counted']:8,}"
        f" | {parse['seconds']:7.1f} {parse['cpu']:6.1f} {size / parse['seconds']:6,.0f} {parse['peak']:8.0f}"
        f" | {gate['seconds']:6.1f} {gate['cpu']:6.1f} {1e6 * gate['seconds'] / size:12.0f} {gate['peak']:8.0f} ({gate['imported']:.0f})"
        f" | {published['seconds']:11.1f} {published['cpu']:6.1f} {published['peak']:8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
