"""The schema of an answer: what a template asks for passes, and nothing else does."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tasks.llm.structured_output import plain_form
from tasks.mock_model import write
from tasks.prompts import render
from tasks.prompts.answer_schema import answer_schema, text_pattern, utterance_schema
from tasks.templates import Turn
from tests.support.writing import goals, profile, some_briefs, templates

ITEM = "{{item:$slot}}"
FIRST = templates()[0]
Turns = list[dict[str, Any]]


def answer(turns: tuple[Turn, ...]) -> Turns:
    """Return an answer with every item due, and nothing else."""
    spoken = []
    for turn in turns:
        names = " and ".join(ITEM.replace("$slot", str(slot)) for slot in turn.introduces)
        spoken.append({"role": turn.role, "text": f"Well, {names}, I'd say: it's fine!"})
    return spoken


def fits(schema: dict[str, Any], turns: Turns) -> bool:
    Draft202012Validator.check_schema(schema)
    return bool(Draft202012Validator(schema).is_valid({"turns": turns}))


@pytest.mark.parametrize("reduced", [False, True])
def test_the_mock_models_answers_fit(reduced: bool) -> None:
    for made in some_briefs(len(templates())):
        prompt = render(profile("grounded"), goals(), made)
        assert prompt.response_format is not None
        given = plain_form(prompt.response_format) if reduced else prompt.response_format
        text = write(prompt.messages, seed=None, misbehave={}).text
        assert fits(given["json_schema"]["schema"], json.loads(text)["turns"]), text


def _spoil(turns: Turns, at: int, **fields: Any) -> None:
    turns[at].update(fields)


WRONG: dict[str, Callable[[Turns], object]] = {
    "a turn missing": lambda turns: turns.pop(),
    "a turn doubled": lambda turns: turns.append(turns[-1]),
    "the other side": lambda turns: _spoil(turns, 1, role="user"),
    "a field more": lambda turns: _spoil(turns, 0, note="x"),
    "an item missing": lambda turns: _spoil(turns, 0, text="Hello, I liked it."),
    "an item too early": lambda turns: _spoil(turns, 0, text="{{item:1}}, or {{item:2}}?"),
    "an unknown item": lambda turns: _spoil(turns, 0, text="{{item:1}}, or {{item:9}}?"),
    "half a reference": lambda turns: _spoil(turns, 0, text="{{item:1}} and {{item:"),
    "nothing said": lambda turns: _spoil(turns, 1, text=""),
    "two lines": lambda turns: _spoil(turns, 0, text="{{item:1}}\nAgent: yes"),
}
SEEN_BY_THE_PLAIN_FORM = {"a turn missing", "a turn doubled", "a field more"}


@pytest.mark.parametrize("fault", WRONG)
def test_what_the_template_does_not_ask_for_does_not_fit(fault: str) -> None:
    good = answer(FIRST.turns)
    schema = answer_schema(FIRST.turns, ITEM)
    plain = plain_form({"type": "json_schema", "json_schema": {"schema": schema}})
    spoilt = copy.deepcopy(good)
    WRONG[fault](spoilt)
    assert fits(schema, good) and not fits(schema, spoilt)
    assert fits(plain["json_schema"]["schema"], spoilt) == (fault not in SEEN_BY_THE_PLAIN_FORM)


def test_a_repair_of_turns_takes_these_turns_alone() -> None:
    schema = answer_schema(FIRST.turns, ITEM, (2, 4))
    whole = answer(FIRST.turns)
    turns = [{"turn": number, **whole[number - 1]} for number in (2, 4)]
    assert fits(schema, turns)
    assert not fits(schema, turns[:1])
    assert not fits(schema, [{**turns[0], "turn": 3}, turns[1]])


def test_a_turn_asked_for_alone_takes_its_items_and_no_others() -> None:
    first = FIRST.turns[0]
    schema = utterance_schema(first, ITEM)
    (said,) = answer((first,))
    check = Draft202012Validator(schema).is_valid
    assert check({"text": said["text"]})
    for fault in ("an item missing", "an item too early", "half a reference", "two lines"):
        spoilt = [dict(said)]
        WRONG[fault](spoilt)
        assert not check({"text": spoilt[0]["text"]}), fault
    assert not check({}) and not check({"text": said["text"], "role": "user"})


def test_the_plain_form_has_keywords_of_strict_modes_only() -> None:
    """OpenAI's subset, as its guide of structured outputs lists it."""
    allowed = {"type", "properties", "required", "additionalProperties", "enum", "items"}
    allowed |= {"minItems", "maxItems"}
    schema = answer_schema(FIRST.turns, ITEM, (2, 4))
    plain = plain_form({"type": "json_schema", "json_schema": {"schema": schema}})

    def check(part: dict[str, Any]) -> None:
        assert set(part) <= allowed
        for inner in (*part.get("properties", {}).values(), part.get("items")):
            if inner:
                check(inner)
        assert part["type"] != "object" or part["required"] == list(part["properties"])

    check(plain["json_schema"]["schema"])
    turn = plain["json_schema"]["schema"]["properties"]["turns"]["items"]["properties"]
    assert turn["turn"]["enum"] == [2, 4]


@pytest.mark.parametrize(
    ("reference", "good", "bad"),
    [
        ("<$slot>", "It is <1>.", "It is <2>."),
        ("[item-$slot]", "It is [item-1].", "It is [item-2]."),
        ("#$slot", "It is #1.", "It is #2."),
        ("item $slot", "It is item 1.", "It is the one."),
        ("^$slot^", "It is ^1^.", "It is ^2^."),
    ],
)
def test_other_references_are_taken_literally(reference: str, good: str, bad: str) -> None:
    pattern = text_pattern(Turn("user", ("greeting_likes",), (1,)), reference)
    assert re.search(pattern, good) and not re.search(pattern, bad)


def test_a_long_text_is_matched_in_no_time() -> None:
    pattern = text_pattern(Turn("agent", ("x",), (1, 2, 3), (4,)), ITEM)
    assert not re.search(pattern, "{{item:4}} well " * 300)
