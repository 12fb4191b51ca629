"""The mock model behind litellm: same answers, rates passed on, one token count."""

from __future__ import annotations

import subprocess
import sys

import litellm
import pytest

from tasks.mock_model import count_tokens_offline, register_offline, write
from tasks.prompts import render
from tests.support.writing import brief, goals, profile, templates

PROMPT = render(profile("grounded"), goals(), brief(templates()[0]))
MESSAGES = [dict(message) for message in PROMPT.messages]
SAMPLING = {"temperature": 0.7, "top_p": 0.9, "max_tokens": 2048}


@pytest.fixture(autouse=True)
def _registered() -> None:
    register_offline()


def test_registering_twice_registers_once() -> None:
    register_offline()
    assert [entry["provider"] for entry in litellm.custom_provider_map].count("offline") == 1


def test_completion_returns_the_writers_text() -> None:
    response = litellm.completion(
        "offline/writer", MESSAGES, **SAMPLING, response_format=PROMPT.response_format
    )
    assert response.choices[0].message.content == write(MESSAGES, seed=None, misbehave={}).text
    assert response.choices[0].finish_reason == "stop"
    assert response.usage.prompt_tokens == sum(
        count_tokens_offline(message["content"]) for message in MESSAGES
    )
    assert response.usage.completion_tokens == count_tokens_offline(
        response.choices[0].message.content
    )
    assert (
        response.usage.total_tokens
        == response.usage.prompt_tokens + response.usage.completion_tokens
    )
    assert response._hidden_params["response_cost"] == 0.0
    assert response.model == "offline/writer-1" and response.id.startswith("offline-")


async def test_acompletion_passes_seed_and_rates_on() -> None:
    response = await litellm.acompletion(
        "offline/writer", MESSAGES, **SAMPLING, seed=7, misbehave={"cut_off": 1.0}, num_retries=0
    )
    expected = write(MESSAGES, seed=7, misbehave={"cut_off": 1.0})
    assert (response.choices[0].message.content, response.choices[0].finish_reason) == (
        expected.text,
        "length",
    )


async def test_equal_requests_get_equal_ids() -> None:
    one, two = [await litellm.acompletion("offline/writer", MESSAGES) for _ in range(2)]
    other = await litellm.acompletion("offline/writer", MESSAGES, seed=1)
    assert one.id == two.id != other.id


def test_importing_the_writer_does_not_import_litellm() -> None:
    code = (
        "import sys, tasks.mock_model as o; o.write([], seed=None, misbehave={}); "
        "sys.exit('litellm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
