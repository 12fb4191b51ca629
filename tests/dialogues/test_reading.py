"""Answers are read as models write them: tidy, sloppy, cut off."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.speaker_labels import role_of

TURNS = [("user", "Hi there."), ("agent", "Try {{item:1}}.")]
WHOLE = json.dumps({"turns": [{"role": role, "text": text} for role, text in TURNS]})

SLOPPY = {
    "as asked": WHOLE,
    "code fence": f"```json\n{WHOLE}\n```",
    "prose around": f"Sure, here is the dialogue:\n{WHOLE}\nI hope you like it!",
    "prose with a bracket before": f"Here [as JSON] it is: {WHOLE}",
    "bare list": json.dumps([{"role": role, "text": text} for role, text in TURNS]),
    "trailing commas": (
        '{"turns": [{"role": "user", "text": "Hi there.",}, {"role": "agent", '
        '"text": "Try {{item:1}}."},],}'
    ),
    "other keys": (
        '{"dialogue": [{"speaker": "User", "content": "Hi there."}, {"speaker": '
        '"Assistant", "content": "Try {{item:1}}."}]}'
    ),
    "role as key": '[{"User": "Hi there."}, {"Agent": "Try {{item:1}}."}]',
    "one object a line": (
        '{"role": "user", "text": "Hi there."}\n{"role": "agent", "text": "Try {{item:1}}."}'
    ),
    "one object a line, single turn first": (
        '{"role": "USER", "text": "Hi there."} {"role": "System", "text": "Try {{item:1}}."}'
    ),
    "unescaped marks": (
        '{"turns": [{"role": "user", "text": "Hi there."}, {"role": "agent", '
        '"text": "Try {{item:1}}."}] "note": "a "b" c"}'
    ),
    "line break": (
        '{"turns": [{"role": "user", "text": "Hi there."}, {"role": "agent", "text": '
        '"Try {{item:1}}."}]}'
    ),
}


@pytest.mark.parametrize("name", SLOPPY)
def test_sloppy_json_is_read_as_meant(name: str) -> None:
    reading = read_grounded(SLOPPY[name])
    assert [(turn.role, turn.text) for turn in reading.turns] == TURNS
    assert reading.whole and not reading.error


def test_marks_inside_a_text_are_kept() -> None:
    reading = read_grounded(
        '{"turns": [{"role": "user", "text": "I saw "Heat" twice."}, {"role": "agent", "text": '
        '"Oh, \\"Heat\\"!"}]}'
    )
    assert [turn.text for turn in reading.turns] == ['I saw "Heat" twice.', 'Oh, "Heat"!']
    assert reading.whole


@pytest.mark.parametrize("kept", range(1, len(WHOLE) - 2))
def test_json_that_breaks_off_gives_the_turns_before_and_is_never_whole(kept: int) -> None:
    reading = read_grounded(WHOLE[:kept])
    assert not reading.whole and reading.error
    assert [(turn.role, turn.text) for turn in reading.turns] == TURNS[: len(reading.turns)]


def test_unfit_json_says_so() -> None:
    for text in (
        "",
        "no dialogue here",
        "[]",
        '{"turns": []}',
        '{"turns": "none"}',
        "[[[[[[",
        "null",
        '{"a": 1}',
    ):
        reading = read_grounded(text)
        assert reading.turns == () and reading.error


PLAIN = {
    "as asked": "User: Hi there.\nAgent: Try it now.",
    "empty lines between": "User: Hi there.\n\nAgent: Try it now.\n",
    "bold": "**User:** Hi there.\n**Agent:** Try it now.",
    "bold name": "**User**: Hi there.\n**Agent**: Try it now.",
    "brackets": "[User] Hi there.\n[Agent] Try it now.",
    "brackets and colon": "[User]: Hi there.\n[Agent]: Try it now.",
    "numbered": "1. User: Hi there.\n2. Agent: Try it now.",
    "numbered with bracket": "1) User: Hi there.\n2) Agent: Try it now.",
    "turn numbers": "Turn 1 - User: Hi there.\nTurn 2 - Agent: Try it now.",
    "goals in brackets": "User (Greeting): Hi there.\nAgent (Recommend): Try it now.",
    "other names": "Customer: Hi there.\nAssistant: Try it now.",
    "prose around": (
        "Here is the dialogue:\n\nUser: Hi there.\nAgent: Try it now.\n---\n[End of dialogue]"
    ),
    "continued line": "User: Hi\nthere.\nAgent: Try it\n  now.",
    "code fence": "```\nUser: Hi there.\nAgent: Try it now.\n```",
    "bullets": "- User: Hi there.\n- Agent: Try it now.",
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_text_is_read_as_meant(name: str) -> None:
    reading = read_plain(PLAIN[name])
    assert [(turn.role, " ".join(turn.text.split())) for turn in reading.turns] == [
        ("user", "Hi there."),
        ("agent", "Try it now."),
    ]
    assert reading.whole


def test_speech_that_looks_like_a_label_is_speech() -> None:
    reading = read_plain(
        "User: The user interface: is it good?\nAgent: System of a Down: yes.\n"
        "User agent is a word."
    )
    assert [turn.role for turn in reading.turns] == ["user", "agent"]
    assert reading.turns[1].text.endswith("User agent is a word.")


@pytest.mark.parametrize(
    ("ending", "whole"),
    [
        ("Bye.", True),
        ("Bye!", True),
        ('"Bye"', True),
        ("Bye…", True),
        ("Bye 😀", True),
        ("Bye", False),
        ("and then,", False),
        ("with a", False),
        ("", False),
    ],
)
def test_plain_text_is_whole_when_its_last_sentence_ends(ending: str, whole: bool) -> None:
    assert read_plain(f"User: Hi.\nAgent: {ending}").whole is whole


def test_roles_by_many_names() -> None:
    assert [
        role_of(name)
        for name in ("User", " customer ", "**Human**", "AGENT", "Assistant:", "system", "bot")
    ] == ["user"] * 3 + ["agent"] * 4
    assert role_of("Narrator of the whole long story") == "narrator of the whol"
    assert role_of("  ") == "unknown"


@given(st.text(max_size=300))
def test_nothing_a_model_writes_raises(text: str) -> None:
    for reading in (read_grounded(text), read_plain(text)):
        assert all(isinstance(turn.text, str) and turn.role for turn in reading.turns)


TEXTS = st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=60)


@given(st.lists(st.tuples(st.sampled_from(["user", "agent"]), TEXTS), min_size=1, max_size=8))
def test_what_is_written_as_json_comes_back(turns: list[tuple[str, str]]) -> None:
    reading = read_grounded(
        json.dumps({"turns": [{"role": role, "text": text} for role, text in turns]})
    )
    assert [(turn.role, turn.text) for turn in reading.turns] == turns


def test_hostile_sizes_are_read_to_an_end() -> None:
    for piece in (
        '{"role": "user", "text": "',
        "{",
        "[",
        '{"turns": [',
        "User: ",
        "[User",
        "**",
        '"},{',
    ):
        read_grounded(piece * 20_000)
        read_plain(piece * 20_000)
        assert not read_grounded(f"{piece}\n" * 20_000).whole
