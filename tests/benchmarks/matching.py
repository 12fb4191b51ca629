"""Matching 1,500 answers of 50 generated titles against 11,589 catalogue titles (issue: under 20 s on two cores).

Run: python tests/benchmarks/matching.py
Prints the seconds, how the titles were matched, what it takes where answers say more than titles,
and whether a brute-force search over a sample gives the same items.
"""

from __future__ import annotations

import random
import time

from rapidfuzz import fuzz

from tasks.evaluation.matching import THRESHOLD, Matcher, form_of, numbers
from tasks.model_output import Parsed, Recommended, parse_answer

CATALOGUE, ANSWERS, TITLES, SAMPLE = 11_589, 1_500, 50, 60


def make_titles(drawn: random.Random, count: int) -> list[str]:
    """Return distinct invented titles of one to six words, some with a number or a year."""
    syllables = [
        "ba",
        "con",
        "der",
        "el",
        "fin",
        "gor",
        "ha",
        "is",
        "ju",
        "kel",
        "lor",
        "man",
        "nor",
        "o",
        "per",
        "qui",
        "ra",
        "sto",
        "ti",
    ]
    words = [
        "".join(drawn.choices(syllables, k=drawn.randint(1, 4))).capitalize() for _ in range(4_000)
    ]
    titles: dict[str, None] = {}
    while len(titles) < count:
        title = " ".join(drawn.choices(words, k=drawn.choice([1, 2, 2, 3, 3, 4, 5, 6])))
        titles[
            title
            + drawn.choice(
                ["", "", "", "", f" {drawn.randint(2, 9)}", f" ({drawn.randint(1950, 2020)})"]
            )
        ] = None
    return list(titles)


def misspell(drawn: random.Random, title: str) -> str:
    """Change, drop or add one letter."""
    place = drawn.randrange(len(title))
    return title[:place] + drawn.choice(["", "e", "xx"]) + title[place + drawn.randint(0, 1) :]


def brute_force(title: str, titles: dict[str, str]) -> str | None:
    """Compare with every title, no index and no early exit."""
    form = form_of(title)
    scored = [
        (-fuzz.ratio(form, form_of(known)), item)
        for item, known in titles.items()
        if numbers(form) == numbers(form_of(known))
    ]
    exact = [item for item, known in titles.items() if known == title]
    best = min(scored, default=(0.0, ""))
    return exact[0] if exact else best[1] if -best[0] >= THRESHOLD else None


def main() -> None:
    """Measure and print."""
    drawn = random.Random(1)
    known = make_titles(drawn, CATALOGUE)
    titles = {f"B{number:06}": title for number, title in enumerate(known)}
    unknown = make_titles(drawn, 40_000)
    generated = [
        [
            drawn.choice(
                [drawn.choice(known), misspell(drawn, drawn.choice(known)), drawn.choice(unknown)]
            )
            for _ in range(TITLES)
        ]
        for _ in range(ANSWERS)
    ]
    answers = [Parsed(tuple(map(Recommended, entries)), "json") for entries in generated]
    started = time.perf_counter()
    matcher = Matcher(titles)
    rankings = matcher.rankings(answers)
    seconds = time.perf_counter() - started
    hows = [how for ranking in rankings for how in ranking.hows]
    distinct = len({title for entries in generated for title in entries})
    print(
        f"{ANSWERS} x {TITLES} titles ({distinct} distinct) against {len(titles)}: {seconds:.2f} s"
    )
    print(
        {how: hows.count(how) for how in ("exact", "normalised", "fuzzy")}
        | {"none": sum(r.out_of_catalogue for r in rankings)}
    )
    verbose = [
        "\n".join(
            f"{number}. {title} ({drawn.randint(1950, 2020)}) - a tale of {drawn.choice(unknown)}"
            for number, title in enumerate(entries, 1)
        )
        for entries in generated
    ]
    started = time.perf_counter()
    parsed = [parse_answer(text) for text in verbose]
    read = time.perf_counter()
    Matcher(titles).rankings(parsed)
    print(
        f"as numbered lists with a year and a reason: read in {read - started:.2f} s, matched in {time.perf_counter() - read:.2f} s"
    )
    sample = drawn.sample([title for entries in generated for title in entries], SAMPLE)
    found = matcher.match(sample)
    same = sum(found[title].item_id == brute_force(title, titles) for title in sample)
    print(f"brute force agrees on {same} of {SAMPLE}")


if __name__ == "__main__":
    main()
