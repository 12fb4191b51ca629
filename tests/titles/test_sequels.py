"""A number after a title names another work, unless it counts something.

That holds in speech, in placeholders and in lists.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dialogues import Catalogue, SlotItem, parse
from tasks.evaluation.matching import Matcher
from tasks.model_output import parse_answer
from tasks.quality.text_patterns import titles_in_quotes
from tasks.templates.values import Turn
from tasks.titles import names, names_sequel
from tasks.titles.keys import COUNTED, ROMAN

# "~" stands for the title.
SEQUELS = """
~ 3.
~ 3 was great
I saw ~ 2 and liked it
~ II bored me
~ III
~ VIII is long
~ V was better
~: Part Two
~, Part 2
~ Part II is
~ part two is
~ (Part 2)
~ Vol. 2
~ Chapter Two was
~ Book Two
~ 2 (2017) is fun
~ 2 and 3 are
~ 2, 3 and 4 are
~ 2's ending
~ 2\u2019s ending
\u201c~ 2\u201d was
"~" 2 was
**~** 2 is
~ 2 isn't bad
~-2 is
How about ~ 2? It
I watched ~ 2 twice
I watched ~ 2 last night
I loved ~ 3. Predator was fine
~ 2: Judgment
~ 2049 is
~ Two was great
~ THREE.
~ XI bored me
~ XIII
~, Vol. XII, was
~ 2 I liked
~ 2 starring her
~ 2 directed by him
~ 2 movie nights are few
~ 2 better than the first
""".strip().splitlines()

COUNTS = """
~ 3 times
I watched ~ 2 weeks ago
~, 1979, is
~ 1979 is
~ (1979) is
~ 2 me is fun
~ 10/10
~ 8 out of 10
I give ~ 8.
I'd rate ~ 9, easily
1. Predator 2. ~ 3. Heat
~ 2. Predator 3. Heat
~ 2 or 3 times
~ 2 or three times
~ 2-3 times
~ 2, 3 times
~ 2 more times
~ 4 or so times
~ 2 and a half times
~ 2 in a row
~ 2 full evenings
~ 5 stars
~ 5* fun
~ 100%
~ 2-hour cut
~ 3rd time
~ 24/7
~ 7:30 pm
~ 8 pm
~ 2 friends of mine
~ 1.
~ part one
~ I loved
~ season 2 is
~, chapter 2 bored me
~, part two of my evening
~. 2 hours later
~ for 2 hours
~, 2 and 3
~ X files
~ V Predator
~ 3D
~, 2 hours long
~ two times
~ Two days ago I saw it
~ two thumbs up
~ one more time
~ 2, maybe 3 times
~ 2 or maybe 3 times
~ x 3
~ at 8
~ (2 hours)
~ XL
""".strip().splitlines()

TURNS = (Turn("user", ("greeting_likes",), (1,)),)


def named(said: str, title: str, *others: str) -> tuple[str, ...]:
    """Return the items named where a title is due, in both formats of an answer."""
    catalogue = Catalogue([("due", title), *((other, other) for other in others)])
    items = [SlotItem(1, "due", title)]
    (spoken,) = parse(
        f"User: {said.replace('~', title)}", "paper", items, TURNS, catalogue
    ).utterances
    turn = [{"role": "user", "text": said.replace("~", "{{item:1}}")}]
    (filled,) = parse(repr(turn), "grounded", items, TURNS, catalogue).utterances
    assert spoken.item_ids == filled.item_ids, said
    assert filled.text == said.replace("**~**", "**~**").replace("~", title)
    return spoken.item_ids


@pytest.mark.parametrize("title", ["Alien", "Mystic River"])
@pytest.mark.parametrize("said", SEQUELS)
def test_a_sequel_is_not_the_due_title(said: str, title: str) -> None:
    assert named(said, title) == ()


@pytest.mark.parametrize("title", ["Alien", "Mystic River"])
@pytest.mark.parametrize("said", COUNTS)
def test_a_number_that_counts_makes_no_sequel(said: str, title: str) -> None:
    assert named(said, title) == ("due",)


@pytest.mark.parametrize(
    ("title", "said", "ids"),
    [
        ("Apollo 13", "Apollo 13 was on.", ("due",)),
        ("Apollo 13", "Apollo 14 was on.", ()),
        ("Blade Runner", "Blade Runner 2049 was on.", ()),
        ("Blade Runner 2049", "Blade Runner 2049.", ("due",)),
        ("Rocky II", "Rocky 2 was on.", ("due",)),
        ("Rocky II", "Rocky III was on.", ()),
        ("Lone Wolf, Vol. 1", "Lone Wolf was on.", ("due",)),
        ("Lone Wolf, Vol. 1", "Lone Wolf, Volume 1, was on.", ("due",)),
        ("Lone Wolf, Vol. 1", "Lone Wolf, Vol. 2, was on.", ()),
        ("Star Wars: Episode IV", "Star Wars Episode 5 was on.", ()),
        ("Star Wars: Episode IV", "Star Wars Episode Four was on.", ("due",)),
        ("Mind the Goat", "mind the goat 2 was on.", ()),
        ("Monsters, Inc.", "Monsters Inc 2 was on.", ()),
        ("Heat (1995)", "Heat (1986) was on.", ()),
        ("Heat (1995)", "Heat (1996) was on.", ("due",)),
        ("Paddle", "Paddle 2 (2017) is fun.", ()),
        ("Alien", "Alien 3 was on, and Alien too.", ("due",)),
    ],
)
def test_titles_with_numbers_of_their_own(title: str, said: str, ids: tuple[str, ...]) -> None:
    (spoken,) = parse(
        f"User: {said}", "paper", [SlotItem(1, "due", title)], TURNS, Catalogue([("due", title)])
    ).utterances
    assert spoken.item_ids == ids


def test_a_sequel_in_the_catalogue_is_named() -> None:
    assert named("~ 3 was great", "Mystic Alien", "Mystic Alien 3") == ("Mystic Alien 3",)
    items = [SlotItem(1, "due", "The Mummy")]
    catalogue = Catalogue([("due", "The Mummy"), ("returns", "The Mummy Returns")])
    for said, ids in (
        ("the mummy returns was on", ("returns",)),
        ("the mummy was on", ("due",)),
        ("THE MUMMY RETURNS!", ("returns",)),
    ):
        assert (
            parse(f"User: {said}", "paper", items, TURNS, catalogue).utterances[0].item_ids == ids
        )


@pytest.mark.parametrize("title", ["Heat", "Mystic River"])
def test_a_year_behind_a_title_names_the_item_of_that_year(title: str) -> None:
    other = f"{title} (1986)"
    assert named("~ (1986) was on", title, other) == (other,)
    assert named('"~ (1986)" was on', title, other) == (other,)
    assert named("~ was on, unlike ~ (1986)", title, other) == ("due", other)
    assert named("~ (1986) was on", title) == ("due",)
    assert named("~ (1987) was on", title, other) == ("due",)


NUMBERS = st.integers(2, 19)
TITLES = st.sampled_from(["Alien", "Mystic River", "Taboo", "The Lighthouse Keeper", "Lone Wolf"])
WRITTEN = (
    "~ {digits}", "~ {roman}", "~ {word}", "~: Part {digits}", "~ Part {roman}", "~, Vol. {digits}",
)  # fmt: skip
GOING_ON = (".", "!", " was long.", " and Heat.", "? Never.", ", which I saw.", " bored me.")


@given(TITLES, NUMBERS, st.sampled_from(WRITTEN), st.sampled_from(GOING_ON))
def test_no_number_behind_a_title_is_lost(title: str, number: int, form: str, after: str) -> None:
    word = COUNTED[number - 1].title() if number <= len(COUNTED) else str(number)
    roman = ROMAN[number - 1].upper()
    # A lone X may be a letter, as in "Alien X files".
    if roman in ("V", "X") and form.endswith(" {roman}") and after == " bored me.":
        after = "."
    said = form.format(digits=number, roman=roman, word=word) + after
    assert named(f"I saw {said}", title) == ()
    assert not names(f"I saw {said.replace('~', title)}", title)
    sequel = said.removesuffix(after).replace("~", title)
    assert Matcher({"due": title}).match([sequel]).popitem()[1].item_id is None


@given(
    TITLES,
    st.integers(2, 99),
    st.sampled_from(["times", "hours long", "weeks ago", "friends", "stars"]),
)
def test_what_is_counted_behind_a_title_leaves_it(title: str, number: int, counted: str) -> None:
    for said in (f"~ {number} {counted}.", f"~, {number} {counted}.", f"~ ({number} {counted})."):
        assert named(f"I watched {said}", title) == ("due",)
        assert names(f"I watched {said.replace('~', title)}", title)


def test_a_sequel_of_what_is_not_due_is_still_a_mention_of_it() -> None:
    turns = (*TURNS, Turn("agent", ("respond_mood",)))
    items = [SlotItem(1, "due", "Mystic River")]
    said = parse(
        "User: Mystic River.\nAgent: Mystic River 2 is on.", "paper", items, turns
    ).utterances
    assert said[1].item_ids == ("due",)  # the gate rejects it: nothing may be named there


def test_a_sequel_in_quotation_marks_is_an_invented_title() -> None:
    assert titles_in_quotes('I saw "Lone Wolf, Vol. 2" twice.', ["Lone Wolf, Vol. 1"]) == [
        "Lone Wolf, Vol. 2"
    ]
    assert titles_in_quotes('I saw "Mystic River 2" twice.', ["Mystic River"]) == ["Mystic River 2"]
    assert titles_in_quotes('I saw "Mystic River (1955)".', ["Mystic River (2003)"]) == [
        "Mystic River (1955)"
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "Taboo 2",
        "Taboo II",
        "Taboo Part Two",
        "Taboo - Part Two",
        "Taboo: Part Two",
        "Taboo (Part 2)",
        "Taboo 2 (2017)",
        "Taboo (2017)",
    ]
    + ["Taboo, Part 2 - a thriller", "Taboo | Vol. 2", '"Taboo" 2'],
)
def test_a_recommended_sequel_is_not_in_the_catalogue(entry: str) -> None:
    ranking = Matcher({"a": "Taboo (2010)", "b": "Heat"}).rankings(
        [parse_answer(f"1. Heat\n2. {entry}")]
    )[0]
    assert ranking.items == ("b",)


def test_a_sequels_word_is_no_misspelling() -> None:
    titles = {"a": "The Extraordinary Lighthouse Keeper of Valmorin Bay and Its Harbour"}
    for added in ("Returns", "Two", "Again", "II"):
        assert Matcher(titles).match([f"{titles['a']} {added}"]).popitem()[1].item_id is None
    assert Matcher(titles).match([f"{titles['a']} now"]).popitem()[1].item_id == "a"


@pytest.mark.parametrize(
    ("text", "title", "found"),
    [
        ("I saw Mystic River 2.", "Mystic River", False),
        ("I saw mystic river twice, part two never.", "Mystic River", True),
        ("I saw Mystic River 2 times.", "Mystic River", True),
        ("Alien 3 and Alien", "Alien", True),
        ("Alien 3 is on", "Alien", False),
        ("Am\u00e9lie Poulain II", "Amelie Poulain", False),
    ],
)
def test_running_text(text: str, title: str, found: bool) -> None:
    assert names(text, title) is found


@given(st.text(max_size=40), st.integers(0, 45), st.text(max_size=20))
def test_whatever_comes_is_looked_at(text: str, end: int, title: str) -> None:
    assert names_sequel(text, end, title) in (True, False)
    assert names(text, title) in (True, False)
