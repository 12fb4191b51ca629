"""How fast sentences are encoded: `python -m tests.benchmarks.semantic [--utterances N] [--threads N ...]`.

Builds the demo with the mock model, repeats its accepted utterances to N and encodes all of them,
equal ones again. Prints utterances a second, the memory that encoding added, and how long 1.1
million utterances of these lengths would take at that rate, which is not measured.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import duckdb

from flows.options import BuildOptions
from tasks.machine import usable_cores
from tasks.semantic import encode
from tasks.settings import Home
from tests.support.plain_build import plain_build

LARGE = 1_100_000  # utterances, about those of the paper's four domains
WARM_UP = 200
AT_ONCE = 20_000


def demo_utterances(folder: Path) -> list[str]:
    """Return what is said in the accepted dialogues of a demo built for this."""
    home = Home.find(folder)
    plain_build(home, "demo", BuildOptions())
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        rows = con.execute(
            "SELECT text FROM utterances JOIN verdicts USING (dialogue_id, attempt) "
            "WHERE verdict = 'accepted' ORDER BY dialogue_id, turn"
        ).fetchall()
    return [text for (text,) in rows]


def chunks(texts: list[str], count: int) -> Iterator[list[str]]:
    """Yield some texts again and again, `count` in all, `AT_ONCE` in each chunk."""
    repeated = cycle(texts)
    for begin in range(0, count, AT_ONCE):
        yield list(islice(repeated, min(AT_ONCE, count - begin)))


def peak_mb() -> int:
    """Return the most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--utterances", type=int, default=20_000)
    arguments.add_argument("--threads", type=int, nargs="+", default=[1, usable_cores()])
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = demo_utterances(Path(folder))
    words = sum(len(text.split()) for text in texts) / len(texts)
    print(f"{len(texts):,} utterances of the demo, {words:.1f} words each")
    print(f"{'threads':>7} {'utterances':>10} {'seconds':>8} {'cpu s':>7} {'a second':>8}", end="")
    print(f" {'peak MB':>8}  1.1 million would take")
    for threads in dict.fromkeys(given.threads):
        encode(texts[:WARM_UP], threads)
        began, cpu = time.perf_counter(), time.process_time()
        for chunk in chunks(texts, given.utterances):
            encode(chunk, threads)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        rate = given.utterances / seconds
        print(
            f"{threads:7} {given.utterances:10,} {seconds:8.1f} {used:7.1f} {rate:8,.0f} "
            f"{peak_mb():8,}  {LARGE / rate / 60:,.0f} min (extrapolated)",
            flush=True,
        )


if __name__ == "__main__":
    main()
