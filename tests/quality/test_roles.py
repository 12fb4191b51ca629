"""Speech of the other side, questions not asked, contradictions, and the wording of assistants."""

from __future__ import annotations

import polars as pl
import pytest

from tasks.calibration.planted import SENTENCES as PLANTED
from tasks.fingerprint import shipped_yaml
from tasks.quality import load_lexicon
from tasks.quality.roles import role_facts
from tasks.settings import Home
from tests.quality import test_natural_speech as speech
from tests.quality.test_text_checks import facts

LANGUAGE = load_lexicon(Home()).languages["en"]
SENTENCES = shipped_yaml(PLANTED)
SCHEMA = {
    "place": pl.Int64, "subject": pl.String, "role": pl.String, "bare": pl.String,
    "asks": pl.Boolean, "requests": pl.Boolean, "thanks": pl.Boolean, "opinion": pl.String,
}  # fmt: skip


def judged(*turns: tuple[str, str], **due: bool) -> pl.DataFrame:
    """Return the facts of one dialogue's (role, text), all about one item."""
    goals = {name: due.get(name, False) for name in ("asks", "requests", "thanks")}
    rows = [
        {"place": 0, "subject": "i1", "role": role, "bare": text, **goals} for role, text in turns
    ]
    return pl.DataFrame(role_facts(pl.DataFrame(rows, schema=SCHEMA), LANGUAGE))


def one(fact: str, role: str, text: str, **due: bool) -> bool:
    return bool(judged((role, text), **due)[fact][0])


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("agent", "My brother and I watched nothing else that winter."),
        ("agent", "I bawled like a baby."),
        ("agent", "We rented it the day we moved house."),
        ("agent", "It was on the night my grandmother died."),
        ("agent", "I quietly wiped a tear at the end."),
        ("user", "May I suggest another one to you?"),
        ("user", "I can recommend you a good one."),
        ("user", "You're welcome, hope you enjoy it!"),
        ("user", "What kind of movies do you like?"),
    ],
)
def test_speech_of_the_other_side_is_seen(role: str, text: str) -> None:
    assert one("wrong_speaker", role, text)


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("agent", "I hoped you'd ask! My next suggestion is this one."),
        ("agent", "I heard that people cry at the end, and I wondered whether that suits you."),
        ("agent", "My pleasure! I've enjoyed talking to you."),
        ("agent", "My guess is that you'd like it, and I won't keep you."),
        ("agent", 'One viewer put it this way: "I laughed, I cried, and I called my mom."'),
        ("agent", "I went through what people wrote, and I had one more in mind."),
        ("user", "My brother and I watched nothing else that winter."),
        ("user", "I'd recommend it to anybody. Thanks for your help!"),
        ("user", "I can recommend it to anyone who likes trains."),
    ],
)
def test_a_sides_own_speech_passes(role: str, text: str) -> None:
    assert not one("wrong_speaker", role, text)


def test_what_is_to_be_asked_must_be_asked() -> None:
    for text in ("That sounds lovely, I like the idea.", "Good to hear from you."):
        assert one("goal_missed", "user", text, asks=True)
        assert not one("goal_missed", "user", text)
    for text in (
        "How does it end?",
        "Tell me what people say about it.",
        "I wonder how long it is.",
    ):
        assert not one("goal_missed", "user", text, asks=True)
    for text in ("I could use something light now.", "Just say the word and I'll look again."):
        assert not one("goal_missed", "user", text, requests=True)


def test_thanks_must_be_given() -> None:
    assert one("goal_missed", "user", "I'll watch it tonight.", thanks=True)
    for text in ("Thanks!", "I really appreciate it.", "Cheers, that helps.", "I owe you one."):
        assert not one("goal_missed", "user", text, thanks=True)


def test_an_item_is_not_both_known_and_unknown() -> None:
    unknown, known = "I've never heard of it.", "I saw it when it first came out."
    assert judged(("user", unknown), ("user", known))["self_contradiction"].to_list() == [
        False,
        True,
    ]
    assert judged(("user", known), ("user", unknown))["self_contradiction"].to_list() == [
        False,
        True,
    ]
    assert not judged(("user", unknown), ("agent", known))["self_contradiction"].any()
    assert not judged(("user", known), ("user", known))["self_contradiction"].any()


def after_an_opinion(text: str, role: str = "user") -> bool:
    """Return whether a text contradicts its user's opinion of the item, given before."""
    rows = [
        {"place": 0, "subject": "i1", "role": "user", "bare": "~ was fun.", "opinion": "LIKES"},
        {"place": 0, "subject": "i1", "role": role, "bare": text},
        {"place": 0, "subject": "i2", "role": role, "bare": text},
    ]
    found = role_facts(pl.DataFrame(rows, schema=SCHEMA), LANGUAGE)["self_contradiction"]
    assert not found[0] and not found[2]
    return bool(found[1])


@pytest.mark.parametrize("text", SENTENCES["unseen"]["train"])
def test_who_told_an_opinion_has_seen_the_item(text: str) -> None:
    assert after_an_opinion(text)
    assert not after_an_opinion(text, "agent")


@pytest.mark.parametrize(
    "text",
    [
        "I'd never seen it done better.",
        "I haven't seen anything like it since.",
        "I'd never heard of the director before.",
        "I haven't seen it in years, and I still remember it.",
        "I've never laughed so much. Is there more on the list?",
        "Hadn't read that about him, interesting.",
    ],
)
def test_what_else_was_not_seen_contradicts_no_opinion(text: str) -> None:
    assert not after_an_opinion(text)


@pytest.mark.parametrize("text", SENTENCES["chatbot"]["train"])
def test_the_wording_of_assistants_is_seen(text: str) -> None:
    assert facts(text)["chatbot_habit"]


@pytest.mark.parametrize("block", ["LIKED", "DISLIKED", "ACCEPTED", "REJECTED", "SAID"])
def test_natural_speech_is_no_chatbots(block: str) -> None:
    said = speech.lines(getattr(speech, block))
    assert [text for text in said if facts(text)["chatbot_habit"]] == []
