from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from tasks.evaluation.matching import Matcher, form_of, numbers
from tasks.model_output import Parsed, Recommended, parse_answer
from tasks.titles import names
from tests.support.examples import examples

CATALOGUE = {
    "b1": "Solaris (1972)",
    "b2": "Solaris (2002)",
    "b3": "Rocky II",
    "b4": "Rocky III",
    "b5": "(500) Days of Summer",
    "b6": "1917",
    "b7": "12 Angry Men",
    "b8": "300",
    "b9": "The Fast and the Furious",
    "c1": "Amélie",
    "c2": "Mission: Impossible - Fallout",
    "c3": "Dune",
    "c4": "Harry Potter Part 1",
    "c5": "Harry Potter Part 2",
    "c6": "solaris",
}


def one(title: str, **popularity: int) -> tuple[str | None, str]:
    match = Matcher(CATALOGUE, popularity).match([title])[title]
    return match.item_id, match.how


@pytest.mark.parametrize(
    ("title", "item", "how"),
    [
        ("1917", "b6", "exact"),
        ("12 Angry Men", "b7", "exact"),
        ("300", "b8", "exact"),
        ("(500) Days of Summer", "b5", "exact"),
        ("500 days of summer (2009)", "b5", "normalised"),
        ("12 Angry Men (1957)", "b7", "normalised"),
        ("AMELIE [DVD]", "c1", "normalised"),
        ("Fast & the Furious, The", "b9", "normalised"),
        ("The Fast and the Furios", "b9", "fuzzy"),
        ("Mission Impossible: Falout", "c2", "fuzzy"),
        ("Rocky III", "b4", "exact"),
        ("Rocky IIII", None, "none"),
        ("Rocky 3", "b4", "normalised"),
        ("Rocky 4", None, "none"),
        ("Harry Potter Part One", "c4", "normalised"),
        ("Harry Potter, Part II", "c5", "normalised"),
        ("Solaris (1971)", "b1", "normalised"),
        ("Solaris (1955)", "c6", "normalised"),
        ("The Fast and the Furios (2001)", "b9", "fuzzy"),
        ("Harry Potter Part 3", None, "none"),
        ("301", None, "none"),
        ("3", None, "none"),
        ("", None, "none"),
        ("Solaris (2002)", "b2", "exact"),
    ],
)
def test_tiers(title: str, item: str | None, how: str) -> None:
    assert one(title) == (item, how)


def test_ties_go_to_the_named_year_then_popularity_then_id() -> None:
    assert one("Solaris") == ("b1", "normalised")
    assert one("Solaris", b2=3) == ("b2", "normalised")
    assert one("Solaris [2002]", b1=3) == ("b2", "normalised")
    assert one("SOLARIS", c6=9)[0] == "c6"


def test_another_year_is_another_work() -> None:
    matcher = Matcher(
        {"1": "It (2017)", "2": "Heat (1995)", "3": "Dune (2021)", "4": "Dune (1984)", "5": "Alien"}
    )
    entries = (
        "1. It (1990)\n2. Heat (1986) - a gambler's story\n3. Dune (1985)\n4. Dune (2000)\n"
        "5. Alien (1979)\n6. Dune [2022], a film"
    )
    ranking = matcher.rankings([parse_answer(entries)])[0]
    assert (ranking.items, ranking.out_of_catalogue) == (("4", "5", "3"), 3)


def brute_force(title: str, catalogue: dict[str, str], threshold: float) -> str | None:
    exact = sorted(item for item, known in catalogue.items() if known.strip() == title.strip())
    same = sorted(item for item, known in catalogue.items() if form_of(known) == form_of(title))
    if exact or same:
        return (exact or same)[0]
    form = form_of(title)
    scored = [
        (-fuzz.ratio(form, form_of(known)), item)
        for item, known in catalogue.items()
        if numbers(form) == numbers(form_of(known))
    ]
    best = min(scored, default=(0.0, None))
    return best[1] if -best[0] >= threshold else None


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(st.text("abc 12I", min_size=1, max_size=8), min_size=1, max_size=40, unique=True),
    st.lists(st.text("abc 12I", max_size=9), max_size=20),
    st.sampled_from([60.0, 80.0, 90.0]),
)
def test_the_index_finds_what_brute_force_finds(
    known: list[str], asked: list[str], threshold: float
) -> None:
    catalogue = {f"i{number:02}": title for number, title in enumerate(known)}
    found = Matcher(catalogue, threshold=threshold).match(asked)
    assert {title: found[title].item_id for title in asked} == {
        title: brute_force(title, catalogue, threshold) for title in asked
    }


def test_brute_force_agrees_on_misspelt_titles() -> None:
    drawn = random.Random(5)
    words = ["".join(drawn.choices("abcdefgh", k=drawn.randint(2, 7))) for _ in range(60)]
    catalogue = {
        f"i{number:03}": " ".join(drawn.choices(words, k=drawn.randint(1, 4)))
        for number in range(400)
    }
    asked = []
    for title in drawn.choices(list(catalogue.values()), k=80):
        place = drawn.randrange(len(title))
        asked.append(title[:place] + drawn.choice(["", "x"]) + title[place + 1 :])
    found = Matcher(catalogue).match(asked)
    assert {title: found[title].item_id for title in asked} == {
        title: brute_force(title, catalogue, 90.0) for title in asked
    }
    assert sum(match.how == "fuzzy" for match in found.values()) > 10


def test_a_ranking_counts_what_it_loses() -> None:
    answer = parse_answer(
        "1. 1917\n2. Nothing Known Here\n3. 1917 (2019)\n4. Dune by Frank Herbert\n"
        "5. The Fast and the Furios"
    )
    ranking = Matcher(CATALOGUE).rankings([answer])[0]
    assert ranking.items == ("b6", "c3", "b9") and ranking.hows == ("exact", "exact", "fuzzy")
    assert (
        ranking.generated,
        ranking.out_of_catalogue,
        ranking.duplicates,
        ranking.parse_failed,
    ) == (5, 1, 1, False)
    failed = Matcher(CATALOGUE).rankings([Parsed((), "none")])[0]
    assert failed.parse_failed and failed.items == ()


def test_the_full_reading_goes_before_a_shorter_one() -> None:
    titles = {"a": "Mission: Impossible", "b": "Mission: Impossible - Fallout"}
    entry = Recommended("Mission: Impossible - Fallout", ("Mission: Impossible", "Mission"))
    assert Matcher(titles).rankings([Parsed((entry,), "lines")])[0].items == ("b",)


def test_an_empty_catalogue_matches_nothing() -> None:
    assert Matcher({}).match(["x"])["x"].item_id is None


@pytest.mark.parametrize(
    ("text", "title", "found"),
    [
        ("I like it a lot", "It", False),
        ("I like It a lot", "It", True),
        ("have you seen mystic river?", "Mystic River [VHS]", True),
        ("the mummy returns", "The Mummy", False),
        ("Try Amélie!", "Amélie (2001)", True),
        ("year 1917.", "1917", True),
        ("19170", "1917", False),
    ],
)
def test_naming_a_title(text: str, title: str, found: bool) -> None:
    assert names(text, title) == found


def test_titles_with_commas_survive_a_comma_separated_list() -> None:
    titles = {
        "1": "I, Robot",
        "2": "The Good, the Bad and the Ugly",
        "3": "Matrix, The",
        "4": "Alien",
        "5": "1917",
    }
    found = Matcher(titles).rankings(
        [
            parse_answer(
                "Films: Alien, I, Robot, The Good, the Bad and the Ugly, 1917, Matrix, The, and "
                "Nothing."
            )
        ]
    )[0]
    assert found.items == ("4", "1", "2", "5", "3") and found.out_of_catalogue == 1
