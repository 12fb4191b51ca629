"""Briefs made up for tests of generation: as many as wanted, made when asked for, about as long as real ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

from tasks.briefs.values import Brief, BriefItem
from tasks.fingerprint import content_id, unit
from tasks.goals import Goals, load_goals
from tasks.prompts import Profile, load_profile
from tasks.prompts.values import Prompt
from tasks.settings import Home
from tasks.templates import load_templates
from tasks.templates.values import Slot, Template, Turn

WORDS = (
    "story",
    "actor",
    "scene",
    "music",
    "plot",
    "honest",
    "slow",
    "warm",
    "clever",
    "sad",
    "funny",
    "long",
    "short",
    "ending",
    "voice",
)
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
    return " ".join(Random(unit(7, *parts)).choices(WORDS, k=words))


def brief(dialogue_id: str, words: int = 80) -> Brief:
    """Return the brief of an id."""
    items = (
        BriefItem(
            1,
            f"i-{dialogue_id[:6]}",
            f"The {dialogue_id[:4]} Story",
            "LIKES",
            user_review=review(dialogue_id, 1, words=words),
            rating=5.0,
        ),
        BriefItem(
            2,
            f"i-{dialogue_id[6:12]}",
            f"A {dialogue_id[4:8]} Tale",
            "MIGHT_LIKES",
            other_review=review(dialogue_id, 2, words=words),
        ),
    )
    return Brief(
        dialogue_id,
        f"u-{dialogue_id[:3]}",
        1,
        items[1].item_id,
        TEMPLATE,
        items,
        "movie",
        "watched",
    )


def fetch(wanted: Sequence[str]) -> list[Brief]:
    """Return the briefs of some ids, as the briefs room would."""
    return [brief(dialogue_id) for dialogue_id in wanted]


def render(brief: Brief, system: str = "Write a dialogue about the items.") -> Prompt:
    """Return a small prompt that holds what a real one does."""
    lines = [
        f"{item.slot}. {item.title} ({item.collection}): {item.user_review or item.other_review}"
        for item in brief.items
    ]
    return Prompt(
        ({"role": "system", "content": system}, {"role": "user", "content": "\n".join(lines)})
    )


@cache
def _curated() -> tuple[Template, ...]:
    return load_templates(Home(), "curated").templates


def curated_brief(dialogue_id: str) -> Brief:
    """Return a brief with a template of the curated set and reviews of 20 to 120 words, all by its id."""
    template = _curated()[int(unit(3, dialogue_id) * len(_curated()))]
    items = []
    for slot in template.slots:
        words = 20 + int(unit(4, dialogue_id, slot.number) * 100)
        items.append(
            BriefItem(
                slot.number,
                f"i-{slot.number}-{dialogue_id[:6]}",
                f"The {dialogue_id[slot.number : slot.number + 4]} Story",
                slot.collection,
                user_review=review(dialogue_id, slot.number, words=words)
                if slot.user_review
                else None,
                other_review=review(dialogue_id, slot.number, 2, words=words)
                if slot.other_review
                else None,
                rating={"LIKES": 5.0, "DISLIKES": 1.0}.get(slot.collection),
            )
        )
    return Brief(
        dialogue_id,
        f"u-{dialogue_id[:3]}",
        1,
        items[-1].item_id,
        template,
        tuple(items),
        "movie",
        "watched",
    )


def curated(wanted: Sequence[str]) -> list[Brief]:
    """Return curated briefs of some ids, as the briefs room would."""
    return [curated_brief(dialogue_id) for dialogue_id in wanted]


def profile_and_goals(profile: str = "grounded") -> tuple[Profile, Goals]:
    """Return a real prompt profile and the real goals, worded for movies."""
    return load_profile(Home(), profile), load_goals(Home()).worded("movie", "watched")
