from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prompts import Finding, Spoken
from tasks.repair import merge_turns
from tasks.repair.briefs import with_missing_turns


def dialogue(*texts: str) -> str:
    return json.dumps(
        {
            "turns": [
                {"role": ("user", "agent")[place % 2], "text": text}
                for place, text in enumerate(texts)
            ]
        }
    )


def texts(merged: list[Spoken]) -> list[str]:
    return [turn.text for turn in merged]


def test_a_numbered_turn_takes_its_place() -> None:
    repaired = '{"turns": [{"turn": 2, "role": "agent", "text": "new"}]}'
    assert texts(merge_turns(dialogue("a", "b", "c"), repaired, [2])) == ["a", "new", "c"]


def test_turns_nobody_asked_for_change_nothing() -> None:
    repaired = (
        '{"turns": [{"turn": 1, "role": "user", "text": "x"}, {"turn": 3, "role": "user", '
        '"text": "new"}]}'
    )
    assert texts(merge_turns(dialogue("a", "b", "c"), repaired, [3])) == ["a", "b", "new"]


def test_the_whole_dialogue_again_is_taken_turn_by_turn() -> None:
    assert texts(merge_turns(dialogue("a", "b", "c"), dialogue("x", "new", "z"), [2])) == [
        "a",
        "new",
        "c",
    ]


def test_turns_without_numbers_go_where_they_were_asked_for() -> None:
    repaired = (
        '```json\n{"turns": [{"role": "user", "text": "one"}, {"role": "user", "text": '
        '"three"}]}\n```'
    )
    assert texts(merge_turns(dialogue("a", "b", "c", "d"), repaired, [3, 1])) == [
        "one",
        "b",
        "three",
        "d",
    ]


def test_the_role_stays_the_templates() -> None:
    repaired = '{"turns": [{"turn": 1, "role": "agent", "text": "new"}]}'
    assert merge_turns(dialogue("a", "b"), repaired, [1])[0] == Spoken("user", "new")


def test_labelled_lines_are_mended_too() -> None:
    previous = 'User: Hi, I saw "Heat".\nAgent: Try \ufffd\ufffd.\nUser: I will.'
    repaired = '{"turns": [{"turn": 2, "role": "agent", "text": "Try \\"Big\\"."}]}'
    assert texts(merge_turns(previous, repaired, [2])) == [
        'Hi, I saw "Heat".',
        'Try "Big".',
        "I will.",
    ]


def test_a_dialogue_that_broke_off_is_carried_on() -> None:
    rest = (
        '{"turns": [{"turn": 4, "role": "agent", "text": "d"}, {"turn": 3, "role": "user", '
        '"text": "c"}]}'
    )
    assert texts(merge_turns(dialogue("a", "b"), rest, [3, 4])) == ["a", "b", "c", "d"]
    gap = '{"turns": [{"turn": 4, "role": "agent", "text": "d"}]}'
    assert texts(merge_turns(dialogue("a", "b"), gap, [3, 4])) == ["a", "b"]


ASKED = (2, 4)
REWRITTEN = {
    "as asked": (
        '{"turns": [{"turn": 2, "role": "agent", "text": "B"}, {"turn": 4, "role": "agent", '
        '"text": "D"}]}'
    ),
    "counted again": (
        '{"turns": [{"turn": 1, "role": "agent", "text": "B"}, {"turn": 2, "role": "agent", '
        '"text": "D"}]}'
    ),
    "other names": (
        '[{"turn_id": "4", "speaker": "Agent", "utterance": "D"}, {"turn_id": "2", "speaker": '
        '"Agent", "utterance": "B"}]'
    ),
    "without speakers": '{"turns": [{"turn": 2, "text": "B"}, {"turn": 4, "text": "D"}]}',
    "one object a line": (
        '{"turn": 2, "role": "agent", "text": "B"}\n{"turn": 4, "role": "agent", "text": "D"}'
    ),
    "numbers as keys": (
        '{"turns": {"2": {"role": "agent", "text": "B"}, "4": {"role": "agent", "text": "D"}}}'
    ),
    "numbers in the texts": (
        '{"turns": [{"role": "agent", "text": "2. B"}, {"role": "agent", "text": "4. D"}]}'
    ),
    "single marks": (
        "{'turns': [{'turn': 2, 'role': 'agent', 'text': 'B'}, {'turn': 4, 'role': 'agent', "
        "'text': 'D'}]}"
    ),
    "labelled lines": "Agent: B\nAgent: D",
    "numbered lines": "Here are the turns:\n\n2. **Agent:** B\n4. **Agent:** D",
    "turn numbers": "Turn 4 - Agent: D\nTurn 2 - Agent: B",
    "whole": dialogue("x", "B", "y", "D", "z"),
    "whole, counted from nought": json.dumps(
        [
            {"turn": n, "role": ("user", "agent")[n % 2], "text": one}
            for n, one in enumerate("xByDz")
        ]
    ),
    "whole as lines": "User: x\nAgent: B\nUser: y\nAgent: D\nUser: z",
    "after thoughts": "<think>Turn 2 must change.</think>```json\n"
    '[{"turn": 2, "role": "agent", "text": "B"},'
    ' {"turn": 4, "role": "agent", "text": "D"}]\n```',
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_rewritten_turns_find_their_places_however_they_come(name: str) -> None:
    assert texts(merge_turns(dialogue("a", "b", "c", "d", "e"), REWRITTEN[name], ASKED)) == [
        "a",
        "B",
        "c",
        "D",
        "e",
    ]


@pytest.mark.parametrize(
    "refusal",
    ["I'm sorry, but I can't help with that.", "", "{}", '{"error": "no"}', "<think>Let me see"],
)
def test_an_answer_without_turns_leaves_the_dialogue_as_it_was(refusal: str) -> None:
    assert texts(merge_turns(dialogue("a", "b"), refusal, [2])) == ["a", "b"]


def test_a_dialogue_that_broke_off_and_comes_again_whole_gives_what_was_missing() -> None:
    assert texts(merge_turns(dialogue("a", "b"), dialogue("w", "x", "c", "d"), [3, 4])) == [
        "a",
        "b",
        "c",
        "d",
    ]


def test_numbers_before_every_turn_do_not_stay_on_those_that_nobody_rewrote() -> None:
    assert texts(
        merge_turns(
            dialogue("1. a", "2. b", "3. c"),
            '{"turns": [{"turn": 2, "role": "agent", "text": "B"}]}',
            [2],
        )
    ) == [*"aBc"]


def test_what_broke_off_in_a_turn_is_asked_again_from_that_turn_on() -> None:
    fell = [
        Finding("completely-generated", 4, "...", "."),
        Finding("template-length", 0, "...", "."),
        Finding("readable", 2, "x", "."),
    ]
    assert [(one.rule, one.turn) for one in with_missing_turns(fell, 4, 5)] == [
        ("readable", 2), ("completely-generated", 4), ("completely-generated", 5),
    ]  # fmt: skip


@given(st.text(), st.lists(st.integers(-1, 9)))
def test_no_answer_breaks_or_changes_what_was_not_asked_for(
    repaired: str, asked: list[int]
) -> None:
    before = ["a", "b", "c"]
    after = texts(merge_turns(dialogue(*before), repaired, asked))
    assert len(after) >= 3
    assert all(after[place] == before[place] for place in range(3) if place + 1 not in asked)
