"""Which schema a model is asked with, and what is shown while it answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flows.evaluation.client import asking
from tasks.errors import UserError
from tasks.evaluation import model_answers
from tasks.evaluation.concurrent_asks import Asked, ask_all
from tasks.evaluation.prompts import Setting, load_recommend_profile
from tasks.evaluation.quality import (
    METRICS,
    judge_pairs,
    judge_utterances,
    load_judge_profile,
    pair_tasks,
    parse_choice,
    parse_grades,
    utterance_tasks,
)
from tasks.evaluation.recommend import answer_rankings
from tasks.llm import RunStopped
from tasks.settings import Home
from tests.evaluation.test_echoes import benchmark
from tests.support.talk import Replies, talk_corpus


def schema_of(replies: Replies) -> dict[str, Any]:
    sent = replies.formats[0]
    assert sent is not None and all(each == sent for each in replies.formats)
    schema: dict[str, Any] = sent["json_schema"]["schema"]
    return schema


@pytest.mark.parametrize(
    ("name", "setting", "sent"),
    [
        ("recommend_json", "zero-shot", True),
        ("recommend_paper", "zero-shot", False),
        ("recommend_json", "fine-tuned", False),  # it has learnt its own form
    ],
)
async def test_a_recommender_is_sent_the_schema_that_its_words_ask_for(
    name: str, setting: Setting, sent: bool
) -> None:
    asked, words = benchmark(), load_recommend_profile(Home(), name)
    reply = json.dumps({"recommendations": ["Solaris", "1917"]})
    replies = Replies(lambda _: reply)
    texts = await model_answers(asked, lambda _: replies, words, setting, history=False)
    found = answer_rankings(asked, texts, words, setting, history=False)[0]
    assert found is not None and found.items == ("i1", "i2")
    if not sent:
        assert replies.formats == [None] * 4
        return
    schema = schema_of(replies)
    jsonschema.validate(json.loads(reply), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"recommendations": ["x"] * 51}, schema)


async def test_a_judge_is_sent_the_schema_of_its_verdict() -> None:
    corpus, words = talk_corpus(), load_judge_profile(Home())
    tasks = utterance_tasks([corpus], dialogues=1)
    grades = json.dumps(dict.fromkeys(METRICS, 2))
    graded = Replies(lambda _: grades)
    await judge_utterances(lambda _: graded, words, "j", tasks)
    jsonschema.validate(json.loads(grades), schema_of(graded))
    assert parse_grades(grades) == dict.fromkeys(METRICS, 2)
    chosen = Replies(lambda _: '{"better": 2}')
    other = replace(corpus, name="other")
    await judge_pairs(lambda _: chosen, words, "j", pair_tasks(corpus, [other], pairs=1))
    jsonschema.validate({"better": 2}, schema_of(chosen))
    assert parse_choice('{"better": 2}') == "second"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"better": 3}, schema_of(chosen))


async def test_what_is_answered_cut_off_and_lost_is_shown_while_it_happens() -> None:
    class CutOff(Replies):
        async def __call__(self, *given: Any, **named: Any) -> Any:
            return replace(await super().__call__(*given, **named), finish_reason="length")

    ways = [Replies(lambda _: "a"), CutOff(lambda _: "b"), Replies(lambda _: None)]
    shown: list[Asked] = []
    texts = await ask_all(
        [(way, ()) for way in ways], watch=lambda asked: shown.append(replace(asked))
    )
    assert texts == ["a", "b", None]
    assert [asked.done for asked in shown] == [1, 2, 3] and shown[-1] == Asked(3, 3, 1, 1)


class Endless:
    """A local model that never comes to an end."""

    model = "local/endless"

    def __init__(self) -> None:
        self.asked, self.cancelled = asyncio.Event(), False

    def request(self, *_: Any) -> Any:
        from tasks.llm import Request

        return Request(self.model, ())

    async def __call__(self, *_: Any, **__: Any) -> Any:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_signal_ends_what_a_local_model_is_writing(tmp_path: Path) -> None:
    model = Endless()
    with pytest.raises(UserError, match="stopped by SIGTERM; what was answered is kept"):
        async with asking(Home(data=tmp_path), "run") as client:
            waiting = asyncio.create_task(client.local(model)("q")(()))  # type: ignore[arg-type]
            await model.asked.wait()
            client.stop(RunStopped("signal", "stopped by SIGTERM"))
            await waiting
    assert model.cancelled
