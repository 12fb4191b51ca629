"""Whole dialogues in natural speech, about titles that are hard to find, pass every rule in both profiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.dialogues import SlotItem, parse_transcripts
from tasks.quality import judge
from tasks.settings import Domain, Home
from tests.quality import test_natural_speech as speech
from tests.support import conversations as made
from tests.support.rules import rules_of

TITLES = (
    "Jaws", "It", "Up", "The Lord of the Rings: The Fellowship of the Ring", "How to Train Your Dragon", "Se7en", "Alien: Covenant",
    "M*A*S*H", "Who's Afraid of Virginia Woolf?", "Monsters, Inc.", "Heat (1995)", "Léon: The Professional", "WALL·E", "Spider-Man",
    "The Good, the Bad and the Ugly", "Fast & Furious", "2001: A Space Odyssey", "12 Angry Men", "Ocean's Eleven", "The Best of Enemies",
    "Love Actually", "Dead Poets Society", "Crazy, Stupid, Love.", "Terrible Advice", "a lowercase title", "Amélie", "[REC]", "No",
    "Boring Machines",
    "Anker PowerCore 10000 Portable Charger, Black", "Harry Potter and the Sorcerer's Stone (Book 1)", "What We Do in the Shadows",
)  # fmt: skip
ASKS = (
    "Got anything for a rainy Sunday?",
    "What would you suggest for tonight?",
    "Could you point me to something in that vein?",
)
# What speaks against the opinion a rejection must tell: of what was seen before it was liked here,
# of the other it was not.
AGAINST = {
    "have_seen": (
        "bored",
        "letdown",
        "dull",
        "hated",
        "terrible",
        "cold",
        "stand",
        "impressed",
        "walked out",
        "put me off",
        "gave up",
        "finish",
        "a fan",
        "care for",
        "never again",
    ),
    "dislikes_review": ("favorite", "wonderful", "oved", "lovely", "great"),
}
# Names and numbers of the lines: what the brief must hold for them to be no invention.
HELD = " ".join(
    sorted({word for word in speech.SAID.split() if not word.isalpha() or word[0].isupper()})
)
# Lines that quote what nobody wrote.
QUOTES = ('"I laughed', '"a love letter', '"so bad')
# Lines that only a user says, or only an agent.
USERS = ("my cat", "I charged", "I'd watch it again", "Call me old-fashioned")
AGENTS = ("You're welcome", "I'm happy to recommend", "If you're into", "Ask me anything")
QUESTIONS = (
    "What matters most to you in a story?",
    "Tell me a little about what you like.",
    "Are you more of a comedy person?",
)
FAREWELLS = (
    "You're welcome! Enjoy the show.",
    "Have fun tonight, and tell me how you liked it!",
    "Glad I could help. Happy watching!",
)
RECOMMENDS = (
    "How about {}? It's clever and warm.",
    "You might like {}, folks can't stop talking about it!",
    "Try {}: fans call it a gem.",
)


def dialogue(number: int) -> made.Conversation:
    """Return a dialogue whose turns are put together from lines people might say."""
    one = made.conversation(number, [f"Film {place}" for place in range(40)])
    chosen = [TITLES[(number * 5 + place * 7) % len(TITLES)] for place in range(len(one.items))]
    items = tuple(
        SlotItem(item.slot, f"i{TITLES.index(title):06d}", title)
        for item, title in zip(one.items, chosen, strict=True)
    )
    turns, last = [], 0
    for place, turn in enumerate(one.template.turns):
        last = max((last, *turn.introduces))
        turns.append((turn.role, line(turn.goals, number * 11 + place, last, turn.role)))
    reviews = dict.fromkeys(one.reviews, HELD)
    return replace(one, items=items, turns=tuple(turns), reviews=reviews)


def line(goals: tuple[str, ...], draw: int, slot: int, role: str) -> str:
    """Return what is said for the first sub-goal that decides it."""
    item = f"{{{{item:{slot}}}}}"
    told = {
        "greeting_likes": speech.LIKED, "greeting_dislikes": speech.DISLIKED, "reject_with_reason": speech.REJECTED,
        "accept_with_reason": speech.ACCEPTED, "accept_gratitude": speech.ACCEPTED,
    }  # fmt: skip
    kinds = {
        "ask_recommendation": ASKS,
        "ask_preference": QUESTIONS,
        "end_conversation": FAREWELLS,
    }
    goal = "ask_preference" if "ask_preference" in goals else goals[0]
    if goal in told:
        against = [word for name, words in AGAINST.items() if name in goals for word in words]
        fitting = [
            said for said in speech.lines(told[goal]) if not any(word in said for word in against)
        ]
        thanks = " Thank you!" if goal == "accept_gratitude" else ""
        return drawn(fitting, draw).replace("~", item) + thanks
    if goal.startswith("recommend"):
        return drawn(RECOMMENDS, draw).format(item)
    return drawn(kinds.get(goal, small_talk(role)), draw)


def small_talk(role: str) -> list[str]:
    """Return what one side may say of anything."""
    others = ("~", *QUOTES, *(AGENTS if role == "user" else USERS))
    return [said for said in speech.lines(speech.SAID) if not any(word in said for word in others)]


def drawn(lines: tuple[str, ...] | list[str], draw: int) -> str:
    return lines[draw % len(lines)]


@pytest.mark.parametrize("profile", ["grounded", "paper"])
def test_natural_dialogues_pass(tmp_path: Path, profile: str) -> None:
    some = [dialogue(number) for number in range(120)]
    con = made.warehouse(some, TITLES)
    made.answer(con, [(one.dialogue_id, getattr(one, profile)()) for one in some], profile)
    domain = Domain.model_validate(
        {"name": "natural", "sources": {"format": "amazon_2014", "reviews": ["none"]}}
    )
    parse_transcripts(con, domain, 1)
    judge(con, rules_of(Home(data=tmp_path), domain), domain, 1)
    fell = con.execute("SELECT rule, turn, evidence FROM rejections ORDER BY ALL").fetchall()
    con.close()
    assert fell == []
