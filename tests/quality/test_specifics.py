"""Names, figures and works that a brief does not hold: what falls, and what people say."""

from __future__ import annotations

import pytest

from tasks.quality import load_lexicon
from tasks.quality.numbers_said import numbers_in
from tasks.quality.specifics import Finder, Support
from tasks.settings import Home
from tests.quality import test_natural_speech as speech

FINDER = Finder(load_lexicon(Home()).languages["en"])
HELD = Support(
    [
        "I loved Bill Tranter's voice in the coffee scene with Mr. Quill. A hundred minutes, and I'd "
        "have paid thirty-two dollars. It's from 1968, and my father was a sapper, Caen to Bremen.",
        "The Bridge Painters",
    ]
)


def found(text: str, role: str = "agent") -> list[tuple[str, str]]:
    return [(specific.kind, specific.text) for specific in FINDER.find(text, role, HELD)]


@pytest.mark.parametrize(
    ("text", "kind", "piece"),
    [
        ("He's played by Ryan Gosling.", "name", "Ryan Gosling"),
        ("Maybe Ryan Gosling is in it.", "name", "Maybe Ryan Gosling"),
        ("Bill Gosling steals it.", "name", "Bill Gosling"),
        ("Inspector Blake never smiles.", "name", "Inspector Blake"),
        ("The whole thing is set in Nebraska.", "name", "Nebraska"),
        ("It came out in 1987.", "fact", "1987"),
        ("It cost $63 million to make.", "fact", "$63 million"),
        ("It runs 94 minutes.", "fact", "94 minutes"),
        ("It's rated 7.9/10.", "fact", "7.9/10"),
        ("It has 1,200 reviews.", "fact", "1,200 reviews"),
        ("It won an award or two.", "fact", "award"),
        ("It's based on a true story, they say.", "fact", "based on a true"),
        ("It's rather as they were in The Polar Express.", "work", "The Polar Express"),
        ("It reminds me of Jaws a bit.", "work", "Jaws"),
        ("The Polar Express was better.", "work", "The Polar Express"),
        ("People who watched Brazil Nights will like it.", "work", "Brazil Nights"),
        ('Someone said "it broke me into little pieces" once.', "detail", "it broke me into little pieces"),
        ("There are 27 of them.", "detail", "27 of"),
    ],
)  # fmt: skip
def test_what_the_brief_does_not_hold_is_found(text: str, kind: str, piece: str) -> None:
    assert (kind, piece) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bill Tranter steals every scene, and Tranter's voice is a joy.",
        "Mr. Quill is who people remember.",
        "It runs 100 minutes and costs $32.",
        "It's from 1968, so very '60s, and they went from Caen to Bremen.",
        "It's a British comedy for a Sunday in December, or for Christmas.",
        "I'd say nine out of ten, or 9/10 if you insist, at 8:30 p.m. or 10 a.m., 24/7.",
        "The 1980s were something, weren't they? PG-13, 4K, the 19th century.",
        "Was it nominated for an award? Is it based on a true story?",
        "I LOVED it. SO much. OK!",
        "As Mom says, you can't go wrong. Thanks!",
        'They call it "a gem", and "so bad it\'s good".',
        "Three people, two hours, one joke.",
    ],
)
def test_what_people_say_is_left_alone(text: str) -> None:
    assert [piece for piece in found(text) if piece[0] != "detail"] == []


def test_what_users_say_of_themselves_only_warns() -> None:
    assert found("I'm off to Boston on Friday.", "user") == [("detail", "Boston")]
    assert found("I'd give it a 4.5/5.", "user") == []
    assert found("It won an award, I think.", "user") == []


def test_small_talk_falls_only_for_what_it_invents() -> None:
    invented = {"Hanks", "Angeles", "Kraków", "1999", "1954", "4.5/5", "7.9/10"}
    for said in speech.lines(speech.SAID):
        kinds = {kind for kind, _ in found(said)}
        assert kinds <= {"detail"} or any(word in said for word in invented), (said, found(said))


def test_numbers_in_words_are_numbers() -> None:
    assert {"32", "30", "2"} <= set(numbers_in("thirty-two"))
    assert {"100", "200"} <= set(numbers_in("a hundred, two hundred"))
    assert set(numbers_in("1,250.50 dollars")) >= {"1250.50", "1", "250", "50"}
    assert list(numbers_in("nothing here")) == []


def test_in_what_others_wrote_a_name_stands_as_a_whole() -> None:
    support = Support(
        ["A quiet film."], ["Born in 1955, like Robert Mitchum's boat in The Night of the Hunter."]
    )
    assert support.has("Robert Mitchum") and support.has("Mitchum\u2019s") and support.has("Hunter")
    assert not support.has("Hunter Mitchum")
    assert "1955" in support.numbers
    assert not Support(["A quiet film."]).has("Mitchum")
