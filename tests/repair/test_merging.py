from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tasks.prompts import Spoken
from tasks.repair import merge_turns


def dialogue(*texts: str) -> str:
    return json.dumps({"turns": [{"role": ("user", "agent")[place % 2], "text": text} for place, text in enumerate(texts)]})


def texts(merged: list[Spoken]) -> list[str]:
    return [turn.text for turn in merged]


def test_a_numbered_turn_takes_its_place() -> None:
    repaired = '{"turns": [{"turn": 2, "role": "agent", "text": "new"}]}'
    assert texts(merge_turns(dialogue("a", "b", "c"), repaired, [2])) == ["a", "new", "c"]


def test_turns_nobody_asked_for_change_nothing() -> None:
    repaired = '{"turns": [{"turn": 1, "role": "user", "text": "x"}, {"turn": 3, "role": "user", "text": "new"}]}'
    assert texts(merge_turns(dialogue("a", "b", "c"), repaired, [3])) == ["a", "b", "new"]


def test_the_whole_dialogue_again_is_taken_turn_by_turn() -> None:
    assert texts(merge_turns(dialogue("a", "b", "c"), dialogue("x", "new", "z"), [2])) == ["a", "new", "c"]


def test_turns_without_numbers_go_where_they_were_asked_for() -> None:
    repaired = '```json\n{"turns": [{"role": "user", "text": "one"}, {"role": "user", "text": "three"}]}\n```'
    assert texts(merge_turns(dialogue("a", "b", "c", "d"), repaired, [3, 1])) == ["one", "b", "three", "d"]


def test_the_role_stays_the_templates() -> None:
    repaired = '{"turns": [{"turn": 1, "role": "agent", "text": "new"}]}'
    assert merge_turns(dialogue("a", "b"), repaired, [1])[0] == Spoken("user", "new")


def test_labelled_lines_are_mended_too() -> None:
    previous = 'User: Hi, I saw "Heat".\nAgent: Try \ufffd\ufffd.\nUser: I will.'
    repaired = '{"turns": [{"turn": 2, "role": "agent", "text": "Try \\"Big\\"."}]}'
    assert texts(merge_turns(previous, repaired, [2])) == ['Hi, I saw "Heat".', 'Try "Big".', "I will."]


def test_a_dialogue_that_broke_off_is_carried_on() -> None:
    rest = '{"turns": [{"turn": 4, "role": "agent", "text": "d"}, {"turn": 3, "role": "user", "text": "c"}]}'
    assert texts(merge_turns(dialogue("a", "b"), rest, [3, 4])) == ["a", "b", "c", "d"]
    gap = '{"turns": [{"turn": 4, "role": "agent", "text": "d"}]}'
    assert texts(merge_turns(dialogue("a", "b"), gap, [3, 4])) == ["a", "b"]


@given(st.text(), st.lists(st.integers(-1, 9)))
def test_no_answer_breaks_or_changes_what_was_not_asked_for(repaired: str, asked: list[int]) -> None:
    before = ["a", "b", "c"]
    after = texts(merge_turns(dialogue(*before), repaired, asked))
    assert len(after) >= 3
    assert all(after[place] == before[place] for place in range(3) if place + 1 not in asked)
