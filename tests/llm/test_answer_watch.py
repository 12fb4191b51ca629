"""A run whose answers are of no use ends after a few of them; what cannot be read counts as such."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tasks.dialogues import read_problem
from tasks.generate import Single
from tasks.llm import RunStopped, Session
from tasks.llm.answer_watch import AnswerWatch, Useless
from tests.llm.test_odd_replies import ask_many, odd_settings
from tests.support import made_up_briefs
from tests.support.made_up_answers import made_up_answer
from tests.support.model_process import ModelServer
from tests.support.odd_replies import OddReply

TURNS = '{"turns": [{"role": "user", "text": "Hi."}, {"role": "agent", "text": "Hello."}]}'
NO_DIALOGUE = "Sure! What kind of film would you like me to write about?"
UNREADABLE = {
    "prose": (NO_DIALOGUE, "stop", "the answer is no JSON dialogue"),
    "half of a JSON": (TURNS[:50], "length", "cut at max_tokens, the JSON breaks off"),
    "JSON without turns": ('{"title": "A film"}', "stop", "the answer holds no turns"),
}


def reply(text: str, finish: str = "stop") -> dict[str, Any]:
    fields = {"message": {"content": text}, "choice": {"finish_reason": finish}}
    return OddReply(fields=fields).as_json()


def ask_for_dialogues(server: ModelServer, folder: Path, calls: int, **limits: Any) -> Session:
    """Ask many questions at once, whose answers should be dialogues in JSON."""
    settings = odd_settings(server, **limits)
    return ask_many(folder, settings, calls, partial(read_problem, "grounded"))


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_run_of_answers_that_cannot_be_read_ends_early(
    server: ModelServer, tmp_path: Path, kind: str
) -> None:
    text, finish, cause = UNREADABLE[kind]
    server.behave(odd=[reply(text, finish)])
    server.reset()
    in_flight, first = 4, 8
    session = ask_for_dialogues(
        server, tmp_path, 60, concurrency=in_flight, stop_after_unusable=first
    )
    assert isinstance(session.stopped, RunStopped) and session.stopped.reason == "answers"
    line = str(session.stopped)
    assert line.startswith("all 8 answers are unusable: ") and cause in line
    assert f"; one of them: {text}" in line and "\n" not in line
    assert first <= server.tally()["billed"] <= first + in_flight


def test_a_run_whose_prompts_the_server_cuts_ends_early(
    server: ModelServer, tmp_path: Path
) -> None:
    """The answers can be read; they are to another prompt, and only the tokens counted tell."""
    server.behave(window=20)
    settings = odd_settings(server, concurrency=4)
    long = "A review of a film that somebody saw. " * 40
    session = ask_many(tmp_path, settings, 60, partial(read_problem, "grounded"), long)
    line = str(session.stopped)
    assert line.startswith("all 8 answers are unusable: prompt cut by the server: it read 20 tok")
    assert "generate.extra num_ctx" in line
    assert 8 <= server.tally()["billed"] <= 8 + 4


def test_answers_that_can_be_read_end_nothing(server: ModelServer, tmp_path: Path) -> None:
    session = ask_for_dialogues(server, tmp_path, 40, concurrency=8)
    assert session.stopped is None and server.tally()["billed"] == 40


def test_a_single_good_answer_leaves_the_rule_of_the_last_25(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(odd=[reply(NO_DIALOGUE)], odd_share=0.9)
    server.reset()
    session = ask_for_dialogues(server, tmp_path, 200, concurrency=2, stop_after_unusable=100)
    assert "of the last" in str(session.stopped)
    assert server.tally()["billed"] < 60


def test_the_watch_is_off_at_0(server: ModelServer, tmp_path: Path) -> None:
    server.behave(odd=[reply(NO_DIALOGUE)])
    server.reset()
    session = ask_for_dialogues(server, tmp_path, 30, concurrency=4, stop_after_unusable=0)
    assert session.stopped is None and server.tally()["billed"] == 30


def test_the_line_names_the_commonest_cause_and_shows_no_control_characters() -> None:
    causes = iter(["once", *["often"] * 7])
    watch = AnswerWatch(8, lambda text: next(causes))
    for _ in range(7):
        watch.answered(made_up_answer(text="a\x1b[31m\nb"))
    with pytest.raises(RunStopped) as stopped:
        watch.answered(made_up_answer(text="last"))
    line = str(stopped.value)
    assert "often (7 of 8)" in line
    assert "\n" not in line and "\x1b" not in line


def test_of_answers_that_can_be_read_few_are_looked_at() -> None:
    read: list[str] = []

    def look(text: str) -> str:
        read.append(text)
        return "" if text == "good" else "no dialogue"

    watch = AnswerWatch(8, look)
    for _ in range(1000):
        watch.answered(made_up_answer(text="good"))
    assert len(read) < 100
    paid = 0
    with pytest.raises(RunStopped, match="20 of the last 25"):
        while paid < 60:
            paid += 1
            watch.answered(made_up_answer(text="bad"))
    assert paid < 40


@pytest.mark.parametrize(
    ("useless", "answers", "stops"),
    [(8, 8, True), (7, 7, False), (80, 100, True), (79, 100, False)],
)
def test_a_batch_is_judged_as_a_whole(useless: int, answers: int, stops: bool) -> None:
    watch = AnswerWatch(8)
    try:
        watch.check_batch([Useless("empty answer")] * useless, answers)
    except RunStopped as reason:
        assert stops and "empty answer" in str(reason)
    else:
        assert not stops


def test_a_rollout_takes_its_reader_to_another_process() -> None:
    rollout = Single(made_up_briefs.render, read_problem=partial(read_problem, "grounded"))
    sent = pickle.loads(pickle.dumps(rollout))
    assert sent.read_problem is not None
    assert sent.read_problem(NO_DIALOGUE) == "the answer is no JSON dialogue"
    assert sent.read_problem(TURNS) == ""
