"""The mock model behind the client of all models: same answers, rates passed on, one token count."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

from tasks.llm import Request, make_request
from tasks.llm.client import LiteLLMClient
from tasks.llm.provider_reply import Reply
from tasks.mock_model import RETURNED_MODEL, count_tokens_offline, write
from tasks.prompts import render
from tasks.settings import Generate
from tests.support.writing import brief, goals, profile, templates

PROMPT = render(profile("grounded"), goals(), brief(templates()[0]))


def request(**settings: Any) -> Request:
    generate = Generate.model_validate({"temperature": 0.7, "max_tokens": 2048, **settings})
    return make_request(generate, PROMPT.messages, PROMPT.response_format)


def reply(asked: Request) -> Reply:
    return asyncio.run(LiteLLMClient(Generate()).complete(asked, 60.0))


def test_the_client_returns_the_mock_models_text_and_its_tokens() -> None:
    found = reply(request())
    assert found.text == write(PROMPT.messages, seed=None, misbehave={}).text
    assert found.finish_reason == "stop"
    assert found.prompt_tokens == sum(
        count_tokens_offline(message["content"]) for message in PROMPT.messages
    )
    assert found.completion_tokens == count_tokens_offline(found.text)
    assert found.cost_usd == 0.0
    assert found.model == RETURNED_MODEL and found.provider_id.startswith("offline-")


def test_the_client_passes_seed_and_rates_on() -> None:
    found = reply(request(seed=7, misbehave={"cut_off": 1.0}))
    expected = write(PROMPT.messages, seed=7, misbehave={"cut_off": 1.0})
    assert (found.text, found.finish_reason) == (expected.text, "length")


def test_equal_requests_get_equal_ids() -> None:
    one, two, other = reply(request()), reply(request()), reply(request(seed=1))
    assert one.provider_id == two.provider_id != other.provider_id


def test_other_tasks_have_their_turn_between_two_answers() -> None:
    """Answers come at once; the event loop must still serve a run's progress and its interrupts."""
    turns: list[int] = []

    async def tick() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def ask(client: LiteLLMClient) -> None:
        ticking = asyncio.create_task(tick())
        for _ in range(20):
            await client.complete(request(), 60.0)
        ticking.cancel()

    asyncio.run(ask(LiteLLMClient(Generate())))
    assert len(turns) >= 20


def test_asking_the_mock_model_does_not_import_litellm() -> None:
    code = (
        "import asyncio, sys\n"
        "from tests.mock_model.test_client import reply, request\n"
        "assert reply(request()).text\n"
        "sys.exit('litellm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
