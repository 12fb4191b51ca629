"""Synthetic domains of any size: invented items, users and reviews in the Amazon 2014 schema, seeded, for benchmarks."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ADJECTIVES = (
    "Amber Broken Crimson Distant Early Feral Gentle Hollow Idle Jagged Keen Little Molten Narrow Ochre Patient Quiet Rustling Silver "
    "Tender Uneven Velvet Wandering Young Ashen Bitter Cold Drifting Empty Faithful"
).split()
NOUNS = (
    "Anchor Bridge Canal Dory Ember Ferry Garden Harbour Island Juniper Kettle Lantern Meadow Needle Orchard Pillar Quarry River Summit "
    "Thicket Upland Valley Willow Yard Zephyr Almanac Bellows Compass Drum Engine"
).split()
PLACES = (
    "Arlund Brenmoor Caldry Dunmere Estrick Farrow Garrick Hollin Innisk Jarrow Keldon Lorne Merrin Norwell Ostrand Pellam Quillon Rosk "
    "Sarnow Tolland Ulver Varley Wexham Yarrick Zellin Ardle Bexley Corwen Dalton Elmsby"
).split()
PARTS = "opening middle ending pacing sound build finish design detail humour cast handle picture story setting colour".split()
GOOD = "lovely solid clever warm sharp careful honest vivid sturdy graceful funny moving precise generous bright".split()
BAD = "clumsy dull thin noisy brittle careless slow muddled flat cheap tedious harsh vague hollow tired".split()
WHO = (
    *("my brother", "my neighbour", "a friend from work", "my daughter", "the whole family"),
    *("an old colleague", "my aunt", "our book club"),  # codespell:ignore
)


@dataclass(frozen=True)
class Size:
    """How big a domain is: core users, items, and dialogues to plan (one per MIGHT_LIKES item)."""

    users: int
    items: int
    briefs: int


def write_domain(folder: Path, name: str, size: Size, seed: int, settings: str = "") -> int:
    """Write sources and domain file under a data folder; return the number of reviews.

    Core users get likes enough for their share of the briefs; items that core users leave below ten
    reviews are filled up by casual users with fewer than ten, as in real data.
    """
    raw, domains = folder / "raw" / name, folder / "domains"
    raw.mkdir(parents=True, exist_ok=True)
    domains.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, size.users, size.items])
    with gzip.open(raw / "meta.json.gz", "wt", encoding="utf-8", compresslevel=1) as out:
        out.writelines(
            json.dumps({"asin": f"I{number:07}", "title": title(number)}) + "\n"
            for number in range(size.items)
        )
    with gzip.open(raw / "reviews.json.gz", "wt", encoding="utf-8", compresslevel=1) as out:
        count = _write_reviews(out, size, rng)
    (domains / f"{name}.yaml").write_text(
        f"title: Synthetic {name}\nnoun: item\nverb: tried\nsources:\n  format: amazon_2014\n  reviews: [../raw/{name}/reviews.json.gz]\n"
        f"  metadata: [../raw/{name}/meta.json.gz]\nbriefs: {{max_dialogues: {size.briefs}}}\n{settings}",
        encoding="utf-8",
    )
    return count


def title(number: int) -> str:
    """Return the number's title; distinct below 27 million."""
    number, adjective = divmod(number, len(ADJECTIVES))
    number, noun = divmod(number, len(NOUNS))
    number, place = divmod(number, len(PLACES))
    part = f" {number + 1}" if number else ""
    return f"The {ADJECTIVES[adjective]} {NOUNS[noun]} of {PLACES[place]}{part}"


def _write_reviews(out: gzip.GzipFile, size: Size, rng: np.random.Generator) -> int:  # type: ignore[type-arg]
    sentences = {kind: _sentences(words, rng) for kind, words in (("good", GOOD), ("bad", BAD))}
    counts = np.zeros(size.items, dtype=np.int64)
    weights = 1.0 / (np.arange(size.items) + 20.0)
    weights /= weights.sum()
    written = 0
    each = -(-size.briefs // size.users)
    for user in range(size.users):
        likes, dislikes = 10 * each + int(rng.integers(0, 5)), int(rng.integers(0, 6))
        drawn = rng.choice(size.items, size=2 * (likes + dislikes), p=weights)
        items = np.unique(
            np.concatenate([drawn, rng.integers(0, size.items, size=likes + dislikes)])
        )
        items = rng.permutation(items)[: likes + dislikes]
        np.add.at(counts, items, 1)
        ratings = [5, 4] * ((likes + 1) // 2)
        written += _write_user(
            out,
            f"U{user:07}",
            items,
            (ratings[:likes] + [1] * dislikes)[: len(items)],
            sentences,
            rng,
        )
    return written + _fill_up(out, counts, sentences, rng)


def _fill_up(
    out: gzip.GzipFile,
    counts: np.ndarray,
    sentences: dict[str, list[str]],
    rng: np.random.Generator,
) -> int:  # type: ignore[type-arg]
    """Let casual users, eight reviews each, review the items that have fewer than ten."""
    missing = np.repeat(np.arange(len(counts)), np.maximum(0, 10 - counts))
    missing = rng.permutation(missing)
    users = -(-len(missing) // 8)
    for user in range(users):
        items = missing[user::users]
        _write_user(out, f"C{user:07}", items, [4] * len(items), sentences, rng)
    return len(missing)


def _write_user(
    out: gzip.GzipFile,  # type: ignore[type-arg]
    user: str,
    items: np.ndarray,  # type: ignore[type-arg]
    ratings: list[int],
    sentences: dict[str, list[str]],
    rng: np.random.Generator,
) -> int:
    picks = rng.integers(0, len(sentences["good"]), size=(len(items), 4)).tolist()
    times = np.sort(rng.integers(900_000_000, 1_400_000_000, size=len(items))).tolist()
    order = rng.permutation(len(items)).tolist()
    for row, time in zip(order, times, strict=True):
        pool = sentences["good" if ratings[row] >= 4 else "bad"]
        text = " ".join(pool[pick] for pick in picks[row])
        review = {
            "reviewerID": user,
            "asin": f"I{items[row]:07}",
            "reviewText": text,
            "overall": float(ratings[row]),
            "unixReviewTime": time,
        }
        out.write(json.dumps(review) + "\n")  # type: ignore[arg-type]
    return len(items)


def _sentences(words: list[str], rng: np.random.Generator, count: int = 4_000) -> list[str]:
    frames = (
        "The {part} was {word} and the {other} felt {second}.",
        "I thought the {part} stayed {word} from start to end.",
        "{who} called the {part} {word}, and that is about right.",
        "After a week the {other} still seems {second} to me.",
        "What stays with me is a {word} {part} and a rather {second} {other}.",
    )
    made = []
    for _ in range(count):
        part, other = rng.choice(PARTS, size=2, replace=False)
        word, second = rng.choice(words, size=2, replace=False)
        who = str(rng.choice(WHO)).capitalize()
        made.append(
            str(rng.choice(frames)).format(
                part=part, other=other, word=word, second=second, who=who
            )
        )
    return made
