"""Source files as large as the real ones: seeded, written in a stream, block by block in several processes.

The schema is that of the 2014 edition, in the order of its files: item after item, no user twice
for one. How many reviews an item and a user have is log-normal, so few users are in the core, as in
the real Books. Reviews are stretches of an invented text that differ in beginning and length.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from isal import igzip

BLOCK_ITEMS = 4_000
_LEVEL = 3  # of igzip: files about as large as gzip's own, in a tenth of the time
_TEXT_WORDS = 2_000_000
_VOCABULARY = 60_000
_ENDS = (".", ".", ".", ",", ",", "!", "?", "...")
_STRAYS = (":)", "!!!", "$$$", "[...]", "<br />", "&#34;so&#34;", "http://www.example.com/a?b=c")
_STRAY_SHARE, _LINK_SHARE, _BROKEN_SHARE = 0.072, 0.2, 0.001
_RATINGS = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], [20, 26, 75, 200, 679])


@dataclass(frozen=True)
class RawSize:
    """How many reviews, users and items a source has, the median words of a review, and the seed."""

    reviews: int
    users: int
    items: int
    words: int = 59
    seed: int = 2024

    @classmethod
    def of(cls, reviews: int, words: int = 59) -> RawSize:
        """Return a size in the proportions of Books 2014: 22.5 million reviews, 8 and 2.3 million."""
        users, items = reviews * 8_000 // 22_500, reviews * 2_300 // 22_500
        return cls(reviews, max(100, users), max(10, items), words)


def write_raw(folder: Path, size: RawSize, processes: int = 2) -> tuple[Path, Path]:
    """Write `reviews.json.gz` and `meta.json.gz`, unless they are there; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = range(0, size.items, BLOCK_ITEMS)
    paths = folder / "reviews.json.gz", folder / "meta.json.gz"
    with ProcessPoolExecutor(processes) as pool:
        for path, made in zip(paths, (_review_block, _title_block), strict=True):
            if path.exists():
                continue
            part = path.with_suffix(".part")
            with part.open("wb") as out:
                for packed in pool.map(partial(made, size), blocks):
                    out.write(packed)
            part.replace(path)
    return paths


def _title_block(size: RawSize, first: int) -> bytes:
    titles = invented_titles(size.seed, first, min(BLOCK_ITEMS, size.items - first))
    lines = (
        json.dumps({"asin": f"B{number:09d}", "title": title})
        for number, title in enumerate(titles, first)
    )
    return igzip.compress(("\n".join(lines) + "\n").encode(), _LEVEL, mtime=0)


def invented_titles(seed: int, first: int, count: int) -> list[str]:
    """Return titles of one to eight invented words, some alike; the same for the same block."""
    rng = np.random.default_rng([seed, 5, first])
    words = iter(_vocabulary_drawn(seed, rng, 8 * count))
    return [
        " ".join(next(words).capitalize() for _ in range(length))
        for length in rng.integers(1, 9, count).tolist()
    ]


def _vocabulary_drawn(seed: int, rng: np.random.Generator, count: int) -> list[str]:
    known, odds = _known_words(seed)
    return rng.choice(known, count, p=odds).tolist()  # type: ignore[no-any-return]


@cache
def _known_words(seed: int) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.float64]]:
    known = np.array(_vocabulary(np.random.default_rng([seed, 4])))
    odds = 1 / np.arange(3, len(known) + 3) ** 1.02
    return known, odds / odds.sum()


def _review_block(size: RawSize, first: int) -> bytes:
    """Return the reviews of a block of items as one gzip member."""
    rng = np.random.default_rng([size.seed, 1, first])
    counts = _item_counts(size)[first : first + BLOCK_ITEMS]
    lines = "".join(
        line
        for item, count in enumerate(counts.tolist(), first)
        for line in _lines(size, rng, item, count)
    )
    return igzip.compress(lines.encode(), _LEVEL, mtime=0)


def _lines(size: RawSize, rng: np.random.Generator, item: int, count: int) -> Iterator[str]:
    words, starts = _invented_text(size.seed)
    lengths = np.clip(rng.lognormal(math.log(size.words), 0.85, count), 1, 3000).astype(np.int64)
    begins = rng.integers(0, len(starts) - 1 - lengths)
    first, last = starts[begins].tolist(), (starts[begins + lengths] - 1).tolist()
    ratings = _RATINGS[rng.integers(0, len(_RATINGS), count)].tolist()
    times = rng.integers(1_050_000_000, 1_400_000_000, count).tolist()
    broken = (rng.random(count) < _BROKEN_SHARE).tolist()
    for place, user in enumerate(_distinct_users(size, rng, count)):
        text = words[first[place] : last[place]]
        # The text holds nothing that JSON would escape.
        line = (
            f'{{"reviewerID": "A{user * 7919:013d}", "asin": "B{item:09d}", '
            f'"reviewerName": "{text[:12]}", "helpful": [{place % 5}, {place % 7}], '
            f'"reviewText": "{text}", "overall": {ratings[place]}, "summary": "{text[:25]}", '
            f'"unixReviewTime": {times[place]}, "reviewTime": "02 28, 2014"}}'
        )
        yield (line[:60] if broken[place] else line) + "\n"


def _distinct_users(size: RawSize, rng: np.random.Generator, count: int) -> list[int]:
    drawn = np.searchsorted(_user_odds(size), rng.random(count)).tolist()
    users: dict[int, None] = {}
    for user in drawn:
        while user in users:
            user = (user + 1) % size.users
        users[user] = None
    return list(users)


@cache
def _item_counts(size: RawSize) -> npt.NDArray[np.int64]:
    """Return how many reviews each item has: at least one, all together `size.reviews`."""
    rng = np.random.default_rng([size.seed, 2])
    weights = rng.lognormal(0, 1.4, size.items)
    return 1 + rng.multinomial(size.reviews - size.items, weights / weights.sum())


@cache
def _user_odds(size: RawSize) -> npt.NDArray[np.float64]:
    """Return the cumulated chances of the users."""
    weights = np.random.default_rng([size.seed, 3]).lognormal(0, 1.3, size.users)
    odds = np.cumsum(weights / weights.sum())
    odds[-1] = 1.0
    return odds


@cache
def _invented_text(seed: int) -> tuple[str, npt.NDArray[np.int64]]:
    """Return a long text of invented words, and where each word begins, with the text's end."""
    rng = np.random.default_rng([seed, 6])
    words = _vocabulary_drawn(seed, rng, _TEXT_WORDS)
    at = 0
    while (at := at + int(rng.integers(4, 14))) < len(words):
        words[at] += _ENDS[int(rng.integers(len(_ENDS)))]
    # As many as there are reviews of about 80 words, each with something irregular or a dash.
    for place in rng.integers(0, len(words), len(words) // 80).tolist():
        chance = rng.random()
        if chance < _STRAY_SHARE:
            words[place] = _STRAYS[int(chance * 1e6) % len(_STRAYS)]
        elif chance < _LINK_SHARE:
            words[place] = "-"
    sizes = np.array([len(word) + 1 for word in words], dtype=np.int64)
    return " ".join(words) + " ", np.concatenate([[0], np.cumsum(sizes)])


def _vocabulary(rng: np.random.Generator) -> list[str]:
    """Return invented words, short ones first, as frequent words are short."""
    letters = "etaoinshrdlcumwfgypbvk"
    odds = np.linspace(12, 0.8, len(letters))
    drawn = rng.choice(list(letters), 2_000_000, p=odds / odds.sum()).tolist()
    made: dict[str, None] = {}
    at = 0
    while len(made) < _VOCABULARY:
        length = min(2 + len(made) // 60 + int(rng.integers(0, 3)), int(rng.integers(4, 12)))
        made["".join(drawn[at : at + length])] = None
        at += length
    return list(made)
