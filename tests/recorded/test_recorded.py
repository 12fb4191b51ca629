"""Answers that a language model wrote to the demo's prompts: which the gate accepts, and which fall."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import duckdb
import pytest

from flows.options import BuildOptions
from tasks.settings import Home, load_domain
from tests.support.model_server import serve
from tests.support.plain_build import plain_briefs
from tests.support.record_answers import prompts
from tests.support.recorded_answers import (
    NAMED_BY,
    SEED,
    Recorded,
    Rejection,
    is_named,
    matched,
    read_recorded,
    rejections,
)
from tests.support.replayed import PENDING, keep_answer, message_key
from tests.support.server_state import Behaviour

# As measured.
ACCEPTED = 60
NAMED = {
    "D1": 2, "D2": 1, "D3": 1, "D4": 0, "D5": 4, "D6": 3,
    "D7": 4, "D8": 5, "D9": 2, "D10": 3, "D11": 1, "D12": 4,
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """The answers of a file by the brief they belong to, and what rejects each."""

    answers: Mapping[str, Recorded]
    fell: Mapping[str, list[Rejection]]


@dataclass(frozen=True)
class Demo:
    """The briefs of the demo, and the answers to them judged."""

    home: Home
    con: duckdb.DuckDBPyConnection
    good: Judged
    defective: Judged


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The recorded answers judged by today's rules, with the briefs they were written to."""
    home = Home.find(tmp_path_factory.mktemp("recorded"))
    plain_briefs(home, "demo", BuildOptions(seed=SEED))
    domain = load_domain(home, "demo")
    with duckdb.connect(str(home.warehouse("demo"))) as con:
        judged = {}
        for name in ("good", "defective"):
            answers = matched(con, read_recorded(name))
            judged[name] = Judged(answers, rejections(con, home, domain, answers))
        yield Demo(home, con, judged["good"], judged["defective"])


def test_the_files_hold_thirty_answers_of_each_profile() -> None:
    for name in ("good", "defective"):
        answers = read_recorded(name)
        assert Counter(one.profile for one in answers) == {"paper": 30, "grounded": 30}
        assert {(one.domain, one.seed) for one in answers} == {("demo", SEED)}
        assert all(one.writer for one in answers)
        assert len({one.template for one in answers}) > 40
    kinds = Counter(one.kind for one in read_recorded("defective"))
    assert kinds == dict.fromkeys(NAMED_BY, 5)
    assert all(one.turn >= 1 and one.what.endswith(".") for one in read_recorded("defective"))
    assert not any(one.kind or one.turn or one.what for one in read_recorded("good"))


def test_every_answer_belongs_to_a_brief(demo: Demo) -> None:
    assert len(demo.good.answers) == len(demo.defective.answers) == 60


def test_good_answers_are_accepted(demo: Demo) -> None:
    fell = {
        demo.good.answers[key].dialogue_id: found for key, found in demo.good.fell.items() if found
    }
    assert not fell
    assert len(demo.good.answers) == ACCEPTED


@pytest.mark.parametrize("kind", NAMED)
def test_defects_are_named_as_often_as_they_were(demo: Demo, kind: str) -> None:
    answers = {key: one for key, one in demo.defective.answers.items() if one.kind == kind}
    named = [key for key, one in answers.items() if is_named(one, demo.defective.fell[key])]
    assert len(named) >= NAMED[kind], {
        one.what: demo.defective.fell[key] for key, one in answers.items() if key not in named
    }


@pytest.mark.parametrize("profile", ["paper", "grounded"])
def test_an_answer_is_found_by_the_prompt_of_its_brief(
    demo: Demo, profile: str, tmp_path: Path
) -> None:
    domain = load_domain(demo.home, "demo")
    answers = {key: one.answer for key, one in demo.good.answers.items() if one.profile == profile}
    made = prompts(demo.con, demo.home, domain, profile)
    asked, answer = next(
        (asked, answers[brief.dialogue_id]) for brief, asked in made if brief.dialogue_id in answers
    )
    keep_answer(tmp_path, asked, answer)
    other = [{"role": "system", "content": "Judge."}, {"role": "user", "content": "Is it good?"}]
    told = asyncio.run(_tell(tmp_path, [asked, other]))
    assert told == [answer, PENDING]
    (kept,) = (tmp_path / "prompts").iterdir()
    assert kept.stem == message_key(other)
    assert json.loads(kept.read_text())["messages"] == other
    keep_answer(tmp_path, other, "Yes.")
    assert asyncio.run(_tell(tmp_path, [other])) == ["Yes."]


async def _tell(folder: Path, asked: list[Any]) -> list[str]:
    """Return what the server answers to some messages."""
    runner, port = await serve(Behaviour(answers="recorded", folder=str(folder)), 0)
    try:
        async with aiohttp.ClientSession() as session:
            return [await _said(session, port, messages) for messages in asked]
    finally:
        await runner.cleanup()


async def _said(session: aiohttp.ClientSession, port: int, messages: Any) -> str:
    body = {"model": "scribe", "messages": list(messages)}
    async with session.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body) as reply:
        completion = await reply.json()
    text: str = completion["choices"][0]["message"]["content"]
    return text
