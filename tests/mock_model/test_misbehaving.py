"""Faults on demand: each kind does what it says, at the rate asked for, and a repair draws again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tasks.briefs.values import Brief
from tasks.mock_model import Written, write
from tasks.mock_model.fault_injection import KINDS
from tasks.prompts import Finding, render, render_repair
from tests.support.writing import (
    brief,
    goals,
    json_turns,
    named,
    profile,
    shared_run,
    some_briefs,
    templates,
    text_turns,
    with_titles,
)

PROFILES = ("paper", "grounded")
GARBAGE = re.compile("[\ufffd\x00-\x08\x0b-\x1f]|\u00c3|\u00e2\u20ac")


def answers(name: str, kind: str, count: int = 84) -> Iterator[tuple[Brief, Written, Written]]:
    """Return briefs with their sound answer and the one spoilt in one way."""
    for made in some_briefs(count):
        messages = render(profile(name), goals(), made).messages
        yield (
            made,
            write(messages, seed=None, misbehave={}),
            write(messages, seed=None, misbehave={kind: 1.0}),
        )


def turns(name: str, answer: Written) -> list[tuple[str, str]]:
    return json_turns(answer.text) if name == "grounded" else text_turns(answer.text)


@pytest.mark.parametrize("name", PROFILES)
def test_cut_off_breaks_the_text_off_and_says_length(name: str) -> None:
    for _, sound, spoilt in answers(name, "cut_off"):
        assert sound.text.startswith(spoilt.text) and len(spoilt.text) < 0.95 * len(sound.text)
        assert (sound.finish_reason, spoilt.finish_reason) == ("stop", "length")
        if name == "grounded":
            with pytest.raises(json.JSONDecodeError):
                json.loads(spoilt.text)


@pytest.mark.parametrize("name", PROFILES)
def test_garbled_puts_unreadable_characters_into_one_turn(name: str) -> None:
    for _, sound, spoilt in answers(name, "garbled"):
        assert not any(GARBAGE.search(text) for _, text in turns(name, sound))
        assert sum(bool(GARBAGE.search(text)) for _, text in turns(name, spoilt)) == 1


@pytest.mark.parametrize("name", PROFILES)
def test_slot_left_leaves_a_slot_unfilled(name: str) -> None:
    for _, sound, spoilt in answers(name, "slot_left"):
        left = re.compile(r"\[[A-Z_]+\]|\{\{item:9\}\}")
        assert not left.search(sound.text) and len(left.findall(spoilt.text)) == 1


@pytest.mark.parametrize("name", PROFILES)
def test_wrong_length_drops_or_doubles_a_turn(name: str) -> None:
    differences = {
        len(turns(name, spoilt)) - len(turns(name, sound))
        for _, sound, spoilt in answers(name, "wrong_length")
    }
    assert differences == {-1, 1}


@pytest.mark.parametrize("name", PROFILES)
def test_ungrounded_breaks_one_grounding_rule_and_keeps_the_form(name: str) -> None:
    kinds = {
        ungrounded_kind(name, made, sound, spoilt)
        for made, sound, spoilt in answers(name, "ungrounded", 168)
    }
    assert kinds == {"praise", "leak", "title", "early", "copied"}


def ungrounded_kind(name: str, made: Brief, sound: Written, spoilt: Written) -> str:
    """Tell which rule was broken; exactly one turn differs."""
    (at,) = [
        at
        for at, (one, two) in enumerate(zip(turns(name, sound), turns(name, spoilt), strict=True))
        if one != two
    ]
    text = turns(name, spoilt)[at][1]
    turn = made.template.turns[at]
    added = text.removeprefix(turns(name, sound)[at][1])
    reviews = [
        review for item in made.items for review in (item.user_review, item.other_review) if review
    ]
    if "perfect delight" in text:
        assert turn.role == "user" and [
            item.collection for item in made.items if item.slot in turn.introduces
        ] == ["DISLIKES"]
        return "praise"
    if "goal" in added:
        assert any(goal.replace("_", " ") in added for goal in turn.goals)
        return "leak"
    if "reminds me" in added:
        assert not any(item.title in added for item in made.items)
        return "title"
    if "Or maybe" in added:
        target = made.items[-1]
        assert target.slot in named(added) or f'"{target.title}"' in added
        assert not any(target.slot in before.introduces for before in made.template.turns[: at + 1])
        return "early"
    assert max(shared_run(with_titles(added, made), review) for review in reviews) >= 10
    return "copied"


def test_rates_are_kept() -> None:
    rates = {
        "cut_off": 0.1,
        "garbled": 0.1,
        "slot_left": 0.1,
        "wrong_length": 0.1,
        "ungrounded": 0.1,
    }
    made = brief(templates()[0])
    messages = render(profile("grounded"), goals(), made).messages
    spoilt = sum(
        write(messages, seed=seed, misbehave=rates).text
        != write(messages, seed=seed, misbehave={}).text
        for seed in range(600)
    )
    assert 240 <= spoilt <= 360  # half of 600, within five standard deviations
    assert set(rates) == set(KINDS)


def test_rates_of_zero_change_nothing() -> None:
    made = brief(templates()[3])
    messages = render(profile("paper"), goals(), made).messages
    assert write(messages, seed=1, misbehave=dict.fromkeys(KINDS, 0.0)) == write(
        messages, seed=1, misbehave={}
    )


def test_a_repair_draws_anew() -> None:
    fixed = 0
    for made in some_briefs(60):
        first = write(
            render(profile("grounded"), goals(), made).messages,
            seed=None,
            misbehave={"slot_left": 0.5},
        )
        again = render_repair(
            profile("grounded"),
            goals(),
            made,
            first.text,
            [Finding("slots-filled", None, "[X]", "No slot is left.")],
        )
        fixed += "[" not in re.sub(
            r"^\{\"turns\": \[|\]\}$",
            "",
            write(again.messages, seed=None, misbehave={"slot_left": 0.5}).text,
        )
    assert 15 <= fixed <= 50
