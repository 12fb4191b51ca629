"""How long ingest and preprocessing take on half a million reviews, against gunzip alone on the same file.

    .venv/bin/python tests/benchmarks/ingest_preprocess.py [--reviews 500000] [--keep FOLDER]

The file is written first: the schema of the 2014 edition, users, items, ratings, review lengths and
stray tokens in the proportions of its 5-core categories, every word invented, with one line in a
thousand broken. As in those, no user reviews an item twice unless `--repeated` says how often;
setting any repetition aside costs DuckDB about a second more, at the commit. Same options, same
file. `gunzip` is `gzip -dc FILE > /dev/null`. Times are the best of the rounds; memory is the most
the process ever held.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.random import Generator

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tasks.ingest import ingest  # noqa: E402
from tasks.preprocess import preprocess  # noqa: E402
from tasks.settings import Domain  # noqa: E402
from tasks.warehouse import open_warehouse  # noqa: E402

STRAYS = (
    ":)",
    ";)",
    "!!!",
    ":-)",
    "....",
    ",,",
    "$$$",
    "**",
    "[...]",
    "-->",
    "&#34;so&#34;",
    "http://www.example.com/a?b=c",
    "=====",
    "<br />",
)
LINKS = ("-", "&", "--", "...")
ENDS = (".", ".", ".", ",", ",", "!", "?", "...", ".  ")
BLOCK = 10_000


def main() -> None:
    """Write the file, measure, print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--reviews", type=int, default=500_000)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--seed", type=int, default=2024)
    options.add_argument(
        "--repeated", type=float, default=0.0, help="share of reviews that come twice"
    )
    options.add_argument(
        "--keep", type=Path, help="folder in which the generated file is kept and found again"
    )
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = (
            chosen.keep or Path(scratch)
        ) / f"reviews_{chosen.reviews}_{chosen.seed}_{chosen.repeated:g}.json.gz"
        if not path.exists():
            write_reviews(path, chosen.reviews, chosen.seed, chosen.repeated)
        raw = sum(len(piece) for piece in _pieces(path))
        print(
            f"{chosen.reviews:,} reviews, {raw / 1e6:.0f} MB, packed {path.stat().st_size / 1e6:.0f} MB"
        )
        gunzip = min(_gunzip(path) for _ in range(chosen.rounds))
        rounds = [
            _build(path, Path(scratch) / f"{number}.duckdb") for number in range(chosen.rounds)
        ]
        _print_table(chosen.reviews, gunzip, min(rounds, key=lambda times: sum(times.values())))


def write_reviews(path: Path, reviews: int, seed: int, repeated: float) -> None:
    """Write the generated reviews, packed as gzip does it by default."""
    rng = np.random.default_rng(seed)
    words = np.array(_vocabulary(rng, 60_000))
    weights = 1 / np.arange(3, len(words) + 3) ** 1.02
    part = path.with_suffix(".part")
    with gzip.open(part, "wb", compresslevel=6) as file:
        for block in _blocks(rng, reviews, words, np.cumsum(weights / weights.sum()), repeated):
            file.write(block)
    part.replace(path)


def _vocabulary(rng: Generator, size: int) -> list[str]:
    """Return invented words, short ones first, as frequent words are short."""
    letters, odds = (
        np.array(list("etaoinshrdlcumwfgypbvk")),
        np.array(
            [
                12,
                9,
                8,
                7.5,
                7,
                6.7,
                6.3,
                6.1,
                6,
                4.3,
                4,
                2.8,
                2.8,
                2.4,
                2.4,
                2.2,
                2,
                2,
                1.9,
                1.5,
                1,
                0.8,
            ]
        ),
    )
    made: dict[str, None] = {}
    while len(made) < size:
        length = min(2 + len(made) // 60 + int(rng.integers(0, 3)), int(rng.integers(4, 12)))
        made["".join(rng.choice(letters, length, p=odds / odds.sum()))] = None
    return list(made)


def _blocks(
    rng: Generator, reviews: int, words: np.ndarray, cumulated: np.ndarray, repeated: float
) -> Iterator[bytes]:
    pairs: set[tuple[int, int]] = set()
    users = _skewed(rng, reviews // 7, 0.6)
    items = _skewed(rng, reviews // 11, 1.0)
    ratings = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    for start in range(0, reviews, BLOCK):
        count = min(BLOCK, reviews - start)
        lengths = np.clip(rng.lognormal(4.08, 0.85, count), 1, 3000).astype(int)
        drawn = words[
            np.minimum(np.searchsorted(cumulated, rng.random(lengths.sum())), len(words) - 1)
        ]
        user, item = (
            np.searchsorted(users, rng.random(count)),
            np.searchsorted(items, rng.random(count)),
        )
        rating, at = (
            rng.choice(ratings, count, p=[0.02, 0.026, 0.075, 0.2, 0.679]),
            rng.integers(1.05e9, 1.4e9, count),
        )
        chance = rng.random(count)
        lines: list[str] = []
        for place, end in enumerate(np.cumsum(lengths)):
            while (user[place], item[place]) in pairs:
                item[place] = (item[place] + 1) % len(items)
            pairs.add((user[place], item[place]))
            text = _punctuated(drawn[end - lengths[place] : end].tolist(), rng)
            row = {
                "reviewerID": f"A{user[place] * 7919:013d}",
                "asin": f"B{item[place]:09d}",
                "reviewerName": f'{text[:9]} "{text[9:20]}"',
                "helpful": [int(place % 5), int(place % 7)],
                "reviewText": text,
                "overall": float(rating[place]),
                "summary": text[:25],
                "unixReviewTime": int(at[place]),
                "reviewTime": "02 28, 2014",
            }
            line = json.dumps(row)
            lines.append(line[:60] if chance[place] < 0.001 else line)
            lines.extend([line] * int(chance[place] > 1 - repeated))
        yield ("\n".join(lines) + "\n").encode()


def _skewed(rng: Generator, size: int, spread: float) -> np.ndarray:
    weights = rng.lognormal(0, spread, size)
    return np.cumsum(weights / weights.sum())


def _punctuated(words: list[str], rng: Generator) -> str:
    """Put sentence ends into the words, now and then a dash or an ampersand, and in one review of fourteen something irregular."""
    at = 0
    while (at := at + int(rng.integers(4, 14))) < len(words):
        words[at] += ENDS[int(rng.integers(len(ENDS)))]
    chance = rng.random()
    if chance < 0.072:
        words.insert(len(words) // 2, STRAYS[int(chance * 1e6) % len(STRAYS)])
    elif chance < 0.2:
        words.insert(len(words) // 2, LINKS[int(chance * 1e6) % len(LINKS)])
    return " ".join(words).capitalize() + "."


def _pieces(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        while piece := file.read(1 << 20):
            yield piece


def _gunzip(path: Path) -> float:
    tool = shutil.which("gzip")
    if tool is None:
        raise SystemExit("gzip is not installed: there is nothing to compare with")
    start = time.perf_counter()
    subprocess.run([tool, "-dc", str(path)], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _build(path: Path, warehouse: Path) -> dict[str, float]:
    """Run both stages as a build does, each in its transaction, and return their seconds."""
    domain = Domain.model_validate(
        {
            "name": "bench",
            "untitled": "use_id",
            "sources": {"format": "amazon_2014", "reviews": [str(path)]},
        }
    )
    times: dict[str, float] = {}
    with open_warehouse(warehouse) as con:
        for name, stage in (("ingest", ingest), ("preprocess", preprocess)):
            start = time.perf_counter()
            con.begin()
            counts = stage(con, domain)
            con.commit()
            times[name] = time.perf_counter() - start
            print(counts)
    return times


def _print_table(reviews: int, gunzip: float, times: dict[str, float]) -> None:
    rows = {"gunzip": gunzip, **times, "ingest + preprocess": sum(times.values())}
    print(f"{'stage':<20} {'seconds':>8} {'rows/s':>10} {'x gunzip':>9}")
    for name, seconds in rows.items():
        print(f"{name:<20} {seconds:>8.2f} {reviews / seconds:>10,.0f} {seconds / gunzip:>9.2f}")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
