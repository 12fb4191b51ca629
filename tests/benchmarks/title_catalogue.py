"""Looking for the titles of very large catalogues: seconds to prepare and to search, and memory.

Run: python -m tests.benchmarks.title_catalogue [TITLES ...]

Each size runs in a process of its own. Titles are invented, one to eight words from 60,000; the
texts are 40,000 utterances of 25 such words, one in ten with a title. Peak memory is that of the
whole process, libraries included; the titles are made page by page, as the gate reads them.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from tasks.dialogues import Catalogue
from tests.support.raw_reviews import BLOCK_ITEMS, invented_titles

SIZES = (110_000, 575_000, 2_300_000)
UTTERANCES, WORDS, WITH_A_TITLE = 40_000, 25, 10
SEED = 1


def main() -> None:
    """Print a row for each size."""
    print("| titles | prepared, CPU s | 40,000 utterances searched, CPU s | found | peak MiB |")
    print("|---:|---:|---:|---:|---:|", flush=True)
    for size in map(int, sys.argv[1:] or SIZES):
        subprocess.run([sys.executable, "-m", __spec__.name, "--one", str(size)], check=True)


def one(size: int) -> None:
    """Measure one size and print its row."""
    began = time.process_time()
    catalogue = Catalogue((f"B{at:09d}", title) for at, title in enumerate(_titles(size)))
    prepared, texts = time.process_time() - began, _texts(size)
    began = time.process_time()
    found = sum(map(len, catalogue.find(texts)))
    searched = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {size:,} | {prepared:.1f} | {searched:.1f} | {found:,} | {peak:,.0f} |", flush=True)


def _titles(size: int) -> Iterator[str]:
    for first in range(0, size, BLOCK_ITEMS):
        yield from invented_titles(SEED, first, min(BLOCK_ITEMS, size - first))


def _texts(size: int) -> list[str]:
    spoken = " ".join(invented_titles(SEED + 1, 0, UTTERANCES * 6)).lower().split()
    named = invented_titles(SEED, 0, min(BLOCK_ITEMS, size))
    return [
        " ".join(spoken[at * WORDS : (at + 1) * WORDS])
        + (f' "{named[at % len(named)]}" was good' if at % WITH_A_TITLE == 0 else "")
        for at in range(UTTERANCES)
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(int(sys.argv[2]))
    else:
        main()
