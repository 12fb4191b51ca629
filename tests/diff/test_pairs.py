"""Which dialogue of one side is which of the other, and when sides count as independent."""

from __future__ import annotations

from typing import Any

from tasks.diff import Side, compare_sides
from tasks.diff.pairs import match
from tasks.diff.values import ComparedDialogue, card_settings


def dialogue(dialogue_id: str, **changes: Any) -> ComparedDialogue:
    """Return an accepted dialogue; those without changes differ in nothing but their id."""
    fields: dict[str, Any] = {
        "user_id": "u",
        "template_id": "t",
        "items": ("i",),
        "verdict": "accepted",
        "text_hash": "x",
    }
    return ComparedDialogue(dialogue_id, **(fields | changes))


def test_dialogues_are_paired_by_what_says_most() -> None:
    first = [
        dialogue("1"),
        dialogue("2", user_id="v"),
        dialogue("3", items=("j",)),
        dialogue("4", items=("q",)),
    ]
    second = [
        dialogue("1", user_id="w"),
        dialogue("9", user_id="v"),
        dialogue("8", user_id="pseudonym", items=("j",)),
        dialogue("7", items=("k",)),
    ]
    matched = match(first, second)
    assert [(pair.first.dialogue_id, pair.second.dialogue_id) for pair in matched.pairs] == [
        ("1", "1"),
        ("2", "9"),
        ("3", "8"),
    ]
    assert [one.dialogue_id for one in matched.gone] == ["4"]
    assert [one.dialogue_id for one in matched.added] == ["7"]


def test_a_brief_that_two_have_is_paired_with_neither() -> None:
    matched = match([dialogue("1")], [dialogue("2"), dialogue("3")])
    assert matched.pairs == []
    assert len(matched.added) == 2


def side(name: str, numbers: range) -> Side:
    """Return a side with a dialogue for each number, the odd ones rejected."""
    dialogues = []
    for number in numbers:
        verdict = "rejected" if number % 2 else "accepted"
        dialogues.append(dialogue(f"{number:x}", items=(str(number),), verdict=verdict))
    return Side(name, "domain", dialogues=tuple(dialogues), complete=True)


def test_sides_with_little_in_common_count_as_independent() -> None:
    accepted = compare_sides(side("a", range(100)), side("b", range(80, 180))).overall[0]
    assert accepted.pairs == 0
    assert accepted.difference is not None
    accepted = compare_sides(side("a", range(100)), side("b", range(40, 140))).overall[0]
    assert accepted.pairs == 60


def test_a_card_without_facts_says_nothing() -> None:
    assert card_settings("# Title\n\n| a |\n") == {}
