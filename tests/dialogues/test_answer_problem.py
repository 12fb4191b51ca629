"""What is said of an answer that could not be read: what went wrong with the model, not with JSON."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tasks.dialogues.answer_problem import answer_problem
from tasks.generate import Single
from tests.support import made_up_briefs
from tests.support.made_up_answers import made_up_answer

NO_JSON = "the answer is no JSON dialogue"
CUT = "prompt cut by the server: it read 40 tokens"


@pytest.mark.parametrize(
    ("parse_error", "text", "finish", "error", "problem"),
    [
        ("", "anything", "stop", CUT, ""),
        (NO_JSON, "Sure.", "stop", "", NO_JSON),
        (NO_JSON, "", "stop", "", "empty answer"),
        (NO_JSON, " \n", "length", "", "empty answer, cut at max_tokens"),
        (NO_JSON, "<think>First I", "stop", "", "reasoning never ended"),
        (NO_JSON, "<think>First I", "length", "", "cut at max_tokens while reasoning"),
        (
            "the JSON breaks off",
            '{"turns": [',
            "length",
            "",
            "cut at max_tokens: the JSON breaks off",
        ),
        (NO_JSON, "Sure.", "stop", CUT, CUT),
    ],
)
def test_the_problem_is_named(
    parse_error: str, text: str, finish: str, error: str, problem: str
) -> None:
    assert answer_problem(parse_error, text, finish, error) == problem


@pytest.mark.parametrize(
    ("counted", "said"), [({"prompt_tokens": 20}, True), ({"prompt_tokens": 250}, False)]
)
def test_a_prompt_that_the_server_cut_is_known(counted: dict[str, Any], said: bool) -> None:
    async def ask(*_: Any, **__: Any) -> Any:
        return made_up_answer(text="Sure.", **counted)

    brief = made_up_briefs.brief(made_up_briefs.ids(1)[0])
    transcript = asyncio.run(Single(made_up_briefs.render)(brief, ask))
    assert transcript.error.startswith("prompt cut by the server: it read 20 tokens of ") == said
    assert transcript.status == "answered"
