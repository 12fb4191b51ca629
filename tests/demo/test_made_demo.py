"""The demo's files: made by their script, of the size and shape that the demo needs, and free of seams."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.settings import Home, load_domain

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
WORD = re.compile(r"[a-z0-9']+")
RUN = 12  # words
# The demo shows dislikes in nearly every dialogue, so most users need one to five.
MIN_DISLIKING = 0.8
# People who write about one film use its names and plot; about two films they share idioms alone.
MAX_SHARED_WITH_OTHERS = 0.02
MAX_SHARED_WITH_SAME = 0.15
Record = dict[str, Any]


def lines_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()


def readable(lines: list[str]) -> list[Record]:
    records = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


@pytest.fixture(scope="module")
def review_lines() -> list[str]:
    return lines_of(DEMO / "reviews.json.gz")


@pytest.fixture(scope="module")
def usable(review_lines: list[str]) -> list[Record]:
    """The reviews that stand after the blemishes are taken out: the first of each user and item."""
    first: dict[tuple[str, str], Record] = {}
    for record in readable(review_lines):
        if record.get("reviewText") and 1 <= record["overall"] <= 5:
            first.setdefault((record["reviewerID"], record["asin"]), record)
    return list(first.values())


@pytest.fixture(scope="module")
def titles() -> dict[str, str]:
    return {record["asin"]: record["title"] for record in readable(lines_of(DEMO / "meta.json.gz"))}


def test_the_committed_files_are_what_the_script_makes(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, DEMO / "make_demo.py", "--out", tmp_path], check=True, timeout=300
    )
    for name in ("reviews.json.gz", "meta.json.gz"):
        assert lines_of(tmp_path / name) == lines_of(DEMO / name), (
            f"run data/demo/make_demo.py and commit {name}"
        )


@pytest.mark.parametrize("name", ["reviews.json.gz", "meta.json.gz"])
def test_the_headers_carry_neither_name_nor_time(name: str) -> None:
    header = (DEMO / name).read_bytes()[:10]
    assert header[:4] == b"\x1f\x8b\x08\x00"
    assert header[4:8] == b"\x00\x00\x00\x00"


def test_the_files_are_small() -> None:
    assert (
        sum((DEMO / name).stat().st_size for name in ("reviews.json.gz", "meta.json.gz")) < 700_000
    )


def test_there_are_as_many_users_items_and_reviews_as_the_readme_says(
    usable: list[Record], titles: dict[str, str]
) -> None:
    counted = (
        len({r["reviewerID"] for r in usable}),
        len({r["asin"] for r in usable}),
        len(usable),
        len(titles),
    )
    told = re.search(
        r"(\d+) people, (\d+) films .*?([\d,]+) reviews",
        (DEMO / "README.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert told is not None
    assert counted[:1] == (int(told[1]),)
    assert counted[3] == int(told[2])
    assert counted[2] == int(told[3].replace(",", ""))
    assert counted[1] == counted[3] + 1, "one item has reviews and no title"


def test_enough_dialogues_come_out_under_the_papers_numbers(usable: list[Record]) -> None:
    """Appendix B counted again: 20 to 400 words, 10 reviews a user and an item in one pass, the last tenth of the likes."""
    long = [r for r in usable if 20 <= len(r["reviewText"].split()) <= 400]
    users, items = Counter(r["reviewerID"] for r in long), Counter(r["asin"] for r in long)
    core = [r for r in long if users[r["reviewerID"]] >= 10 and items[r["asin"]] >= 10]
    likes = Counter(r["reviewerID"] for r in core if r["overall"] >= 4)
    assert 180 <= sum(max(1, count // 10) for count in likes.values()) <= 205
    dislikes = Counter(r["reviewerID"] for r in core if r["overall"] <= 2)
    assert len(users) > len(likes) > 80, (
        "some people have too few reviews, and are there to be left out"
    )
    assert sum(1 <= dislikes[user] <= 5 for user in likes) > MIN_DISLIKING * len(likes)
    assert any(dislikes[user] == 0 for user in likes)
    assert 0 < sum(items[item] < 10 for item in items) < 10


def test_most_ratings_are_kind(usable: list[Record]) -> None:
    share = Counter(int(r["overall"]) for r in usable)
    assert 0.75 <= (share[4] + share[5]) / len(usable) <= 0.82
    assert 0.09 <= (share[1] + share[2]) / len(usable) <= 0.13


def test_the_blemishes_are_the_ones_the_readme_names(review_lines: list[str]) -> None:
    records = readable(review_lines)
    assert len(review_lines) - len(records) == 1, "one line cut short"
    assert sum("reviewText" not in r for r in records) == 1
    assert sum(r["overall"] == 0 for r in records) == 1
    pairs = Counter((r["reviewerID"], r["asin"]) for r in records)
    assert sum(count - 1 for count in pairs.values()) == 2
    assert 5 / len(review_lines) < 0.01


def test_no_two_reviews_share_a_long_run_of_words(usable: list[Record]) -> None:
    """Under 2 % of the reviews share 12 words in a row with a review of another film, under 15 % with one of the same."""
    first: dict[tuple[str, ...], int] = {}
    shared: dict[bool, set[int]] = {True: set(), False: set()}
    for number, record in enumerate(usable):
        words = WORD.findall(record["reviewText"].lower())
        for start in range(len(words) - RUN + 1):
            earlier = first.setdefault(tuple(words[start : start + RUN]), number)
            if earlier != number:
                shared[usable[earlier]["asin"] == record["asin"]] |= {earlier, number}
    assert len(shared[False]) < MAX_SHARED_WITH_OTHERS * len(usable)
    assert len(shared[True]) < MAX_SHARED_WITH_SAME * len(usable)


def test_the_reviews_are_as_long_as_peoples(usable: list[Record]) -> None:
    lengths = [len(r["reviewText"].split()) for r in usable]
    assert 50 <= sum(lengths) / len(lengths) <= 70
    assert 0.01 <= sum(length < 20 for length in lengths) / len(lengths) <= 0.03
    assert sum(25 <= length <= 140 for length in lengths) / len(lengths) > 0.9
    assert max(lengths) <= 200


SEAMS = {
    "a mark of the material": r"[@<>{}|^\[\]]",
    "two spaces": r"  ",
    "two full stops": r"(?<!\.)\.\.(?!\.)",
    "a mark after a comma": r"[,;:][.,;:!?]",
    "a space before a mark": r" [.,](?!\.)",
    "a before a vowel": r"\b[Aa] (?!one|once|uni|use|Euro)[aeiou]\w+",
    "an before a consonant": r"\b[Aa]n [bcdfgjklmnpqrstvwz]\w+",
    "a capital after a comma": r", (The|It|There|They|You|She|He|If|When|What) [a-z]",
    "is twice": r"\b(is|are|was|and|or|it|of|to|a) \1\b",
}


@pytest.mark.parametrize("seam", SEAMS)
def test_the_texts_show_no_seam(seam: str, usable: list[Record]) -> None:
    texts = [text for r in usable for text in (r["reviewText"], r["summary"])]
    assert [found[0] for text in texts for found in [re.search(SEAMS[seam], text)] if found] == []


def test_non_words_are_there_for_preprocessing_to_drop(usable: list[Record]) -> None:
    text = " ".join(r["reviewText"] for r in usable)
    for token in ("*****", "!!!!", ":-)", "&quot;"):
        assert 2 <= text.count(token) <= 90, token


def test_titles_try_what_titles_can_do(titles: dict[str, str]) -> None:
    found = set(titles.values())
    assert {
        "The Lantern Keeper [VHS]",
        "Harbour &amp; Light",
        "Copper Sky (Special Edition) [Blu-ray]",
        "6174",
    } <= found
    assert {"Mind the Goat!", "Été à Valmorin", "Grandpa&#39;s Flying Bathtub"} <= found
    assert len(found) == len(titles)


def test_time_makes_sense(usable: list[Record], titles: dict[str, str]) -> None:
    made = dict(re.findall(r"^title: (.+)$[\s\S]*?^year: (\d{4})$", films_material(), re.MULTILINE))
    assert set(made) == set(titles.values())
    moments = [r["unixReviewTime"] for r in usable]
    assert moments == sorted(moments)
    for record in usable:
        day = datetime.fromtimestamp(record["unixReviewTime"], UTC)
        assert day.strftime("%m %d, %Y") == record["reviewTime"]
        assert 1998 <= day.year <= 2013
        assert day.year > int(made.get(titles.get(record["asin"], ""), "0"))


def films_material() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((DEMO / "material" / "films").glob("*.txt"))
    )


def test_popularity_is_skewed(usable: list[Record]) -> None:
    counts = sorted(Counter(r["asin"] for r in usable).values(), reverse=True)
    assert sum(counts[: len(counts) // 5]) > 1.35 * sum(counts) / 5
    assert counts[0] > 1.5 * counts[len(counts) // 2]


def test_tastes_can_be_learnt(usable: list[Record]) -> None:
    """An item-kNN over the earlier likes ranks a user's last like better than chance would."""
    likes: dict[str, list[str]] = defaultdict(list)
    for record in usable:
        if record["overall"] >= 4:
            likes[record["reviewerID"]].append(record["asin"])
    before = {user: items[:-1] for user, items in likes.items() if len(items) > 5}
    fans: dict[str, set[str]] = defaultdict(set)
    for user, items in before.items():
        for item in items:
            fans[item].add(user)

    def likeness(one: str, other: str) -> float:
        return len(fans[one] & fans[other]) / (len(fans[one]) * len(fans[other])) ** 0.5

    ranks = []
    for user, known in before.items():
        rest = [item for item in fans if item not in known]
        order = sorted(rest, key=lambda item: -sum(likeness(item, mine) for mine in known))
        if likes[user][-1] in rest:
            ranks.append(order.index(likes[user][-1]) / max(1, len(rest) - 1))
    assert len(ranks) > 70
    spread = (1 / 12 / len(ranks)) ** 0.5  # of a mean of so many ranks drawn evenly between 0 and 1
    assert sum(ranks) / len(ranks) < 0.5 - 4 * spread


def test_the_domain_file_loads_and_finds_its_sources() -> None:
    domain = load_domain(Home(), "demo")
    assert (domain.noun, domain.verb) == ("movie", "watched")
    assert all(
        Path(source.path).is_file()
        for source in (*domain.sources.reviews, *domain.sources.metadata)
    )
    spoilt = domain.generate.misbehave
    assert {spoilt.cut_off, spoilt.garbled, spoilt.slot_left, spoilt.wrong_length} == {0.03}
