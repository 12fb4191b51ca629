"""How often the history marks a fall of acceptance, and how soon; and how often it marks nothing.

    python -m tests.benchmarks.history_detection [--histories 200]

Each history has ten runs at one acceptance and three at a lower one. A row counts the histories
with a mark at the first lower run, at the second or before, and at the third or before. The second
table counts the histories of 30 equal runs, with all figures, that have any mark.
"""

from __future__ import annotations

import argparse

import numpy as np

from tasks.history.changes import HORIZON, compare
from tasks.history.values import ACCEPTANCE, Figures, Point, Share
from tests.support.simulated_runs import point_of, simulated

BEFORE = 10  # runs
AFTER = 3
FALLS = ((0.95, 0.90), (0.90, 0.85), (0.90, 0.88))
SIZES = (100, 200, 500, 1000, 2000, 4000)  # dialogues a run
EQUAL = (25, 200, 1500)  # dialogues a run of the histories without a change


def history(random: np.random.Generator, dialogues: int, fall: tuple[float, float]) -> list[Point]:
    """Return a history of acceptance alone that falls after `BEFORE` runs."""
    rates = [fall[0]] * BEFORE + [fall[1]] * AFTER
    counts = [int(random.binomial(dialogues, rate)) for rate in rates]
    return [
        point_of(number, Figures({ACCEPTANCE: Share(count, dialogues)}, {}, {}, {}))
        for number, count in enumerate(counts)
    ]


def first_mark(points: list[Point]) -> int | None:
    """Return how many runs after the fall the first mark is, from 1; None without one."""
    for number, compared in enumerate(compare(points)[BEFORE:], start=1):
        if compared.changes:
            return number
    return None


def print_detection(random: np.random.Generator, histories: int) -> None:
    """Print the share of histories whose fall is marked within one, two and three runs."""
    print(f"marked within 1, 2, 3 runs, of {histories} histories")
    print("| dialogues a run | " + " | ".join(f"{a:.0%} -> {b:.0%}" for a, b in FALLS) + " |")
    print("|---|" + "---|" * len(FALLS))
    for dialogues in SIZES:
        cells = []
        for fall in FALLS:
            marks = [first_mark(history(random, dialogues, fall)) for _ in range(histories)]
            within = [
                sum(mark is not None and mark <= runs for mark in marks)
                for runs in range(1, AFTER + 1)
            ]
            cells.append(", ".join(f"{100 * count / histories:.0f} %" for count in within))
        print(f"| {dialogues} | " + " | ".join(cells) + " |")


def print_false_marks(random: np.random.Generator, histories: int) -> None:
    """Print how many histories of equal runs, with all figures, have a mark."""
    print(f"histories of {HORIZON} equal runs with a mark, of {histories}")
    for dialogues in EQUAL:
        marked = 0
        for _ in range(histories):
            points = [simulated(random, number, dialogues) for number in range(HORIZON)]
            marked += any(compared.changes for compared in compare(points))
        print(f"{dialogues} dialogues a run: {marked}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--equal", type=int, default=20)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    print_detection(random, options.histories)
    print_false_marks(random, options.equal)


if __name__ == "__main__":
    main()
