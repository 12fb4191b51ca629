"""The real model, whose weights a package brings: it writes what the template asks for, badly."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from subprocess import CompletedProcess

import jsonschema
import pytest

from tasks.errors import UserError
from tasks.llm.client import LiteLLMClient
from tasks.llm.requests import make_request
from tasks.local_model import check_local
from tasks.prompts.answer_schema import answer_schema
from tasks.settings import Generate
from tasks.templates import Turn
from tests.benchmarks.local_model import follows
from tests.support.command import run_redial
from tests.support.local_server import local_server

MODEL = "local/smollm2"
DIALOGUES = 20


def _missing() -> str:
    try:
        check_local(MODEL)
    except UserError as error:
        return str(error)
    return ""


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing() or "nothing is missing")
TURNS = (
    Turn("user", ("greeting_likes",), (1,)),
    Turn("agent", ("recommend_might_like",), (2,), (1,)),
)


async def test_a_short_dialogue() -> None:
    schema = answer_schema(TURNS, "{{item:$slot}}")
    # Hotter, a model of this size leaves English within a sentence.
    generate = Generate(model=MODEL, max_tokens=400, temperature=0.4)
    question = (
        "Write a short talk about two films: a user liked {{item:1}}, an agent names {{item:2}}."
    )
    request = make_request(
        generate,
        ({"role": "user", "content": question},),
        {"type": "json_schema", "json_schema": {"name": "dialogue", "schema": schema}},
    )
    reply = await LiteLLMClient(generate).complete(request, timeout_s=1.0)
    turns = json.loads(reply.text)["turns"]
    jsonschema.validate({"turns": turns}, schema)
    assert [turn["role"] for turn in turns] == ["user", "agent"]
    assert "{{item:1}}" in turns[0]["text"] and "{{item:2}}" in turns[1]["text"]
    assert reply.finish_reason == "stop" and reply.cost_usd == 0
    assert reply.model == "SmolLM2-135M-Instruct.Q4_1"
    # It is a language model of English.
    assert len({"the", "a", "I", "of", "is", "to"} & set(reply.text.split())) >= 2


def assert_built(result: CompletedProcess[str]) -> None:
    """A model of this size may well write nothing that can be released, which ends with 2."""
    nothing = "so there is nothing to release" in result.stderr
    assert result.returncode == (2 if nothing else 0), result.stderr


@pytest.mark.heavy
def test_twenty_dialogues_of_the_demo_follow_their_templates(tmp_path: Path) -> None:
    result = run_redial(
        tmp_path,
        *("build", "demo", "--model", MODEL),
        *("--max-dialogues", str(DIALOGUES), "--concurrency", str(DIALOGUES)),
        *("--set", "generate.max_attempts=1", "--set", "generate.limits.stop_after_unusable=0"),
        *("--set", "generate.limits.stop_after_rejected=0"),
        *("--set", "generate.temperature=0.4"),
    )
    assert_built(result)
    kept = follows(tmp_path)
    assert kept.answers == DIALOGUES
    assert all(count >= 0.99 * DIALOGUES for count in kept.parts.values()), kept


@pytest.mark.heavy
async def test_a_build_through_a_server_sends_the_schema_that_the_server_obeys(
    tmp_path: Path,
) -> None:
    async with local_server(MODEL) as (server, address):
        result = await asyncio.to_thread(
            run_redial,
            tmp_path,
            *("build", "demo", "--model", "hosted_vllm/smollm2", "--api-base", address),
            *("--max-dialogues", "4", "--set", "generate.structured_output=json_schema"),
            *("--set", "generate.max_attempts=1", "--set", "generate.limits.timeout_s=1500"),
        )
    assert_built(result)
    kept = follows(tmp_path)
    assert kept.answers == 4
    # What the first build asks to learn about its server: once with a schema and once without.
    assert (server.asked, server.schemas) == (6, 5)
    assert set(kept.parts.values()) == {4}, kept
