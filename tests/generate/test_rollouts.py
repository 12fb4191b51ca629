"""Rollouts with the mock model: one call a dialogue, and two agents turn by turn."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tasks.briefs import Brief
from tasks.generate import Chunk, Dual, Single, run_chunk
from tasks.llm import (
    Answer,
    Ask,
    Budget,
    KnownAnswers,
    Message,
    Session,
    Transcript,
    make_request,
)
from tasks.mock_model import write
from tasks.prompts import render
from tasks.settings import Generate
from tests.support import made_up_briefs
from tests.support.made_up_answers import made_up_answer
from tests.support.model_process import ModelServer


class RecordingAsk:
    """An `ask` that records what was asked; `finish` has the finish reason of the n-th answer."""

    def __init__(self, finish: dict[int, str] | None = None) -> None:
        self.asked: list[tuple[Message, ...]] = []
        self.finish = finish or {}

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        self.asked.append(messages)
        request = make_request(Generate(), messages, response_format, attempt)
        text = write(messages, seed=None, misbehave={}).text
        finish = self.finish.get(len(self.asked), "stop")
        return made_up_answer(request.key, text, finish_reason=finish)


def run(rollout: Any, dialogue_id: str, ask: RecordingAsk) -> Transcript:
    return asyncio.run(rollout(made_up_briefs.curated_brief(dialogue_id), ask))


@pytest.mark.parametrize("profile", ["grounded", "paper"])
def test_single_asks_once_and_keeps_the_answer(profile: str) -> None:
    rollout = Single(partial(render, *made_up_briefs.profile_and_goals(profile)), attempt=3)
    ask = RecordingAsk()
    transcript = run(rollout, made_up_briefs.ids(1)[0], ask)
    assert len(ask.asked) == 1 and transcript.status == "answered" and transcript.attempt == 3
    assert transcript.request_keys == (make_request(Generate(), ask.asked[0], None, 3).key,)
    assert transcript.text == write(ask.asked[0], seed=None, misbehave={}).text


def test_dual_asks_for_every_turn_and_hides_tastes_from_the_recommender() -> None:
    for dialogue_id in made_up_briefs.ids(12):
        brief = made_up_briefs.curated_brief(dialogue_id)
        ask = RecordingAsk()
        transcript = run(Dual(*made_up_briefs.profile_and_goals()), dialogue_id, ask)
        turns = json.loads(transcript.text)["turns"]
        assert [turn["role"] for turn in turns] == [turn.role for turn in brief.template.turns]
        assert all(turn["text"] for turn in turns) and len(transcript.request_keys) == len(
            set(transcript.request_keys)
        ) == len(turns)
        own = [item.user_review for item in brief.items if item.user_review]
        for turn, messages in zip(brief.template.turns, ask.asked, strict=True):
            words = json.dumps(messages)
            if turn.role == "agent":
                assert not any(
                    review in words for review in own
                ) and '"rating' not in words.replace("\\", "")
        told = "".join(message["content"] for message in ask.asked[-1])
        assert turns[0]["text"] in told


def test_a_server_that_decodes_under_the_schema_misses_no_item_of_a_turn(
    server: ModelServer, tmp_path: Path
) -> None:
    """The server says what the schema asks for and nothing else; without one it says prose."""
    server.behave(answers="prose", schema="whole")
    briefs = tuple(made_up_briefs.curated_brief(one) for one in made_up_briefs.ids(4))
    for form, are_named in (("json_schema", True), ("json_object", False)):
        generate = Generate(
            model="hosted_vllm/mine", api_base=server.address, structured_output=form
        )
        chunk = Chunk(1, briefs, tmp_path / f"{form}.jsonl")
        session = Session(generate, KnownAnswers({}), Budget(None), "r")
        result = asyncio.run(run_chunk(session, chunk, Dual(*made_up_briefs.profile_and_goals())))
        texts = {made.dialogue_id: made.text for made in result.transcripts}
        for brief in briefs:
            turns = json.loads(texts[brief.dialogue_id])["turns"]
            due = [
                [f"{{{{item:{slot}}}}}" for slot in turn.introduces]
                for turn in brief.template.turns
            ]
            said = [re.findall(r"\{\{item:\d\}\}", turn["text"]) for turn in turns]
            assert (said == due) == are_named
            assert all(turn["text"].startswith("Hello") for turn in turns)


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_dual_ends_at_an_answer_that_was_cut_off(finish: str) -> None:
    ask = RecordingAsk({3: finish})
    transcript = run(Dual(*made_up_briefs.profile_and_goals()), made_up_briefs.ids(1)[0], ask)
    assert len(ask.asked) == len(transcript.request_keys) == 3
    assert (transcript.status, transcript.finish_reason) == ("answered", finish)


def test_rollouts_can_be_pickled() -> None:
    profile, goals = made_up_briefs.profile_and_goals()
    for rollout in (Dual(profile, goals), Single(partial(render, profile, goals))):
        again = pickle.loads(pickle.dumps(rollout))
        dialogue_id = made_up_briefs.ids(1)[0]
        assert run(again, dialogue_id, RecordingAsk()) == run(rollout, dialogue_id, RecordingAsk())


def test_a_brief_can_be_pickled() -> None:
    brief = made_up_briefs.curated_brief(made_up_briefs.ids(1)[0])
    assert pickle.loads(pickle.dumps(brief)) == brief == replace(brief)


def test_requests_of_a_chunk_are_in_the_order_of_their_templates(tmp_path: Path) -> None:
    briefs = [made_up_briefs.curated_brief(one) for one in made_up_briefs.ids(60)]
    order: list[str] = []

    class Noting:
        attempt = 1
        name = "single"

        async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
            order.append(brief.template.template_id)
            return Transcript(brief.dialogue_id, 1, "answered", "", "stop", ())

    session = Session(Generate(), KnownAnswers({}), Budget(None), "r")
    chunk = Chunk(1, tuple(briefs), tmp_path / "journal.jsonl")
    result = asyncio.run(run_chunk(session, chunk, Noting()))
    assert len(result.transcripts) == 60 and len(set(order)) > 10
    assert order == sorted(order) != [brief.template.template_id for brief in briefs]
