"""What the grammar file may say."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tasks.errors import UserError
from tasks.goals import Goals
from tasks.settings import Home
from tasks.templates import Grammar, parse_grammar
from tasks.templates.grammar import grammar_file


def change(where: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(content: dict[str, Any]) -> None:
        *path, last = where.split(".")
        for key in path:
            content = content[key]
        content[last] = value

    return apply


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(grammar_file(Home()).read_text(encoding="utf-8"))
    return content


MISTAKES = [
    (change("speed", 3), "speed: is not a known setting"),
    (change("start", "begin"), "start: unknown state 'begin'"),
    (change("start", "greeted"), "the user begins, but in 'greeted' the agent speaks"),
    (change("lengths", {1: [9, 6]}), "lengths.1: [9, 6] is no range"),
    (change("sets.greet", ["greeting_lieks"]), "sets.greet: unknown sub-goal 'greeting_lieks'"),
    (change("sets.chit_chat", ["chit_chat"]), "sets.chit_chat: a sub-goal has the same name"),
    (change("at_most", [{"of": ["chitchat"], "times": 1}]), "at_most: unknown sub-goal 'chitchat'"),
    (
        change("states.comforted.moves", [{"say": ["ask"], "then": "ready"}]),
        "states.comforted: unknown sub-goal 'ask'",
    ),
    (
        change("states.comforted.moves", [{"say": ["chit_chat"], "then": "redy"}]),
        "states.comforted: unknown state 'redy'",
    ),
    (
        change("states.comforted.moves", [{"say": ["chit_chat"], "then": "led"}]),
        "the user would speak twice, here and in 'led'",
    ),
    (
        change("states.comforted.moves", [{"say": ["respond_mood"], "then": "ready"}]),
        "'respond_mood' is not said by the user",
    ),
    (
        change(
            "states.comforted.moves",
            [{"say": ["chit_chat"], "then": "ready"}, {"say": ["chit_chat"], "then": "asked"}],
        ),
        "states.comforted: chit_chat is listed twice",
    ),
    (
        change("states.island", {"speaker": "user", "moves": []}),
        "states.island: no move leads to this state",
    ),
    (
        change("states.comforted.moves", [{"say": [], "then": "ready"}]),
        "states.comforted.moves.0.say",
    ),
    (change("states.comforted.speaker", "robot"), "states.comforted.speaker"),
]


@pytest.mark.parametrize(("apply", "message"), MISTAKES)
def test_a_mistake_is_one_clear_line(
    shipped: dict[str, Any], goals: Goals, apply: Callable[[dict[str, Any]], None], message: str
) -> None:
    content = copy.deepcopy(shipped)
    apply(content)
    with pytest.raises(UserError) as caught:
        parse_grammar(content, goals, "grammar.yaml")
    assert str(caught.value).startswith("grammar.yaml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [None, [], "x", 7])
def test_another_shape_is_refused(goals: Goals, content: Any) -> None:
    with pytest.raises(UserError):
        parse_grammar(content, goals, "grammar.yaml")


def test_a_set_stands_for_each_member_that_fits(grammar: Grammar) -> None:
    moves = grammar.states["asked"].moves
    fitting = {said[1] for said in moves if said[0] == "recommend_likes" and len(said) == 2}
    assert fitting == {"introduce_other_hislikes"}
    assert {said for said in moves if len(said) == 1} == {
        ("ask_preference",),
        ("recommend_likes",),
        ("recommend_dislikes",),
        ("recommend_might_likes",),
    }


def test_the_lengths_are_within_the_papers_and_grow_with_recommendations(grammar: Grammar) -> None:
    assert {many: tuple(bounds) for many, bounds in grammar.lengths.items()} == {
        1: (6, 10),
        2: (8, 13),
        3: (10, 16),
    }
