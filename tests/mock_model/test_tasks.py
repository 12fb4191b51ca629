"""The mock model's other tasks: repairs, single turns of a rollout, unknown prompts."""

from __future__ import annotations

import json

import pytest

from tasks.briefs.values import Brief
from tasks.mock_model import TASKS, count_tokens_offline, write
from tasks.prompts import (
    Finding,
    Prompt,
    Spoken,
    as_transcript,
    render,
    render_agent_turn,
    render_repair,
    render_user_turn,
    spoken_text,
)
from tests.support.writing import (
    brief,
    goals,
    json_turns,
    named,
    profile,
    some_briefs,
    templates,
    text_turns,
)


def text(prompt: Prompt) -> str:
    return write(prompt.messages, seed=None, misbehave={}).text


def finding(turn: int | None) -> Finding:
    return Finding("word-limit", turn, "too many words", "An utterance has at most 60 words.")


def test_repair_of_turns_writes_those_turns_alone() -> None:
    for made in some_briefs(84):
        first = text(render(profile("grounded"), goals(), made))
        asked = [2, len(made.template.turns)]
        answer = json.loads(
            text(
                render_repair(
                    profile("grounded"), goals(), made, first, [finding(turn) for turn in asked]
                )
            )
        )
        assert [turn["turn"] for turn in answer["turns"]] == asked
        for turn in answer["turns"]:
            wanted = made.template.turns[turn["turn"] - 1]
            assert turn["role"] == wanted.role
            assert (
                set(wanted.introduces)
                <= named(turn["text"])
                <= {*wanted.introduces, *wanted.refers}
            )


@pytest.mark.parametrize("name", ["paper", "grounded"])
def test_repair_of_a_dialogue_rewrites_all_of_it(name: str) -> None:
    made = brief(templates()[7])
    first = text(render(profile(name), goals(), made))
    again = text(render_repair(profile(name), goals(), made, first, [finding(None)]))
    read = json_turns if name == "grounded" else text_turns
    assert [role for role, _ in read(again)] == [role for role, _ in read(first)] and again != first


def rollout(name: str, made: Brief) -> list[Spoken]:
    """Play a brief turn by turn."""
    so_far: list[Spoken] = []
    for number, turn in enumerate(made.template.turns, start=1):
        draw = render_user_turn if turn.role == "user" else render_agent_turn
        so_far.append(
            Spoken(turn.role, spoken_text(text(draw(profile(name), goals(), made, so_far, number))))
        )
    return so_far


@pytest.mark.parametrize("name", ["paper", "grounded"])
def test_rollout_turn_by_turn_gives_a_whole_dialogue(name: str) -> None:
    for made in some_briefs(42):
        spoken = rollout(name, made)
        transcript = as_transcript(profile(name), spoken)
        turns = json_turns(transcript) if name == "grounded" else text_turns(transcript)
        assert [role for role, _ in turns] == [turn.role for turn in made.template.turns]
        for (_, said), turn in zip(turns, made.template.turns, strict=True):
            found = (
                named(said)
                if name == "grounded"
                else {item.slot for item in made.items if f'"{item.title}"' in said}
            )
            assert set(turn.introduces) <= found <= {*turn.introduces, *turn.refers}
            assert 1 <= len(said.split()) <= 60


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "What is the capital of France?"}],
        [{"role": "user", "content": "Task: dialogue\n\nbut no template"}],
        [{"role": "user", "content": "Task: unheard_of\n<data>\n{not json}\n</data>"}],
        [{"role": "user", "content": "Task: agent_turn\n<data>\n[1, 2]\n</data>"}],
        [{"role": "system", "content": "You are terse."}],
        [{"role": "user", "content": ""}],
        [],
    ],
)
def test_prompts_it_does_not_know_get_a_plain_sentence(messages: list[dict[str, str]]) -> None:
    answer = write(messages, seed=None, misbehave={"cut_off": 1.0})
    assert (
        answer.finish_reason == "stop"
        and answer.text.endswith(".")
        and 3 <= len(answer.text.split()) <= 20
    )


def test_tasks_can_be_added_to() -> None:
    assert set(TASKS) >= {"dialogue", "repair_dialogue", "repair_turns", "user_turn", "agent_turn"}


@pytest.mark.parametrize(
    ("said", "tokens"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("Köln", 2), ("a" * 4000, 1000), ("\ud800", 1)],
)
def test_tokens_are_a_quarter_of_the_bytes(said: str, tokens: int) -> None:
    assert count_tokens_offline(said) == tokens
