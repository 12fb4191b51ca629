"""Briefs made up for tests of generation: as many as wanted, made when asked for, about as long as real ones."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.briefs.values import Brief, BriefItem
from tasks.fingerprint import content_id, unit
from tasks.prompts.values import Prompt
from tasks.templates.values import Slot, Template, Turn

WORDS = ("story", "actor", "scene", "music", "plot", "honest", "slow", "warm", "clever", "sad", "funny", "long", "short", "ending", "voice")
TEMPLATE = Template(
    "t-small",
    1,
    (
        Turn("user", ("greeting_likes",), (1,)),
        Turn("agent", ("lead",), (), (1,)),
        Turn("user", ("ask",)),
        Turn("agent", ("recommend_might_like",), (2,)),
        Turn("user", ("accept",), (), (2,)),
        Turn("agent", ("farewell",)),
    ),
    (Slot(1, "LIKES", user_review=True), Slot(2, "MIGHT_LIKES", other_review=True)),
)


def ids(count: int, seed: int = 1) -> list[str]:
    """Return the dialogue ids of `count` briefs."""
    return [content_id(["brief", seed, number]) for number in range(count)]


def review(*parts: str | int, words: int = 80) -> str:
    """Return made-up review text that depends on its parts alone."""
    start = int(unit(7, *parts) * 1_000_003)
    return " ".join(WORDS[(start * (place + 3) + place * place) % len(WORDS)] for place in range(words))


def brief(dialogue_id: str, words: int = 80) -> Brief:
    """Return the brief of an id."""
    items = (
        BriefItem(
            1, f"i-{dialogue_id[:6]}", f"The {dialogue_id[:4]} Story", "LIKES", user_review=review(dialogue_id, 1, words=words), rating=5.0
        ),
        BriefItem(
            2, f"i-{dialogue_id[6:12]}", f"A {dialogue_id[4:8]} Tale", "MIGHT_LIKES", other_review=review(dialogue_id, 2, words=words)
        ),
    )
    return Brief(dialogue_id, f"u-{dialogue_id[:3]}", 1, items[1].item_id, TEMPLATE, items, "movie", "watched")


def fetch(wanted: Sequence[str]) -> list[Brief]:
    """Return the briefs of some ids, as the briefs room would."""
    return [brief(dialogue_id) for dialogue_id in wanted]


def render(brief: Brief, system: str = "Write a dialogue about the items.") -> Prompt:
    """Return a small prompt that holds what a real one does."""
    lines = [f"{item.slot}. {item.title} ({item.collection}): {item.user_review or item.other_review}" for item in brief.items]
    return Prompt(({"role": "system", "content": system}, {"role": "user", "content": "\n".join(lines)}))
