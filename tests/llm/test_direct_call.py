"""A call that goes past litellm ends as one that goes through it: answer, error, bill and bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

import tasks.llm.client as client_module
from tasks.llm.client import LiteLLMClient, load_litellm
from tasks.llm.errors import CallError
from tasks.llm.provider_reply import Reply, UnusableReply
from tasks.llm.requests import make_request
from tasks.llm.response_cap import Arrival, watch_response
from tasks.llm.values import Message
from tasks.prompts.answer_schema import answer_schema
from tasks.settings import Generate, Limits
from tests.support.model_process import ModelServer
from tests.support.odd_replies import ODD_REPLIES, OddReply, completion, error_reply
from tests.support.provider_quirks import QUIRKS
from tests.support.writing import templates

FIRST = ({"role": "user", "content": "Write a dialogue about a rainy evening."},)
SECOND = ({"role": "user", "content": "And one about „Käse“ \u2028 and \U0001f600."},)
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "dialogue", "schema": answer_schema(templates()[0].turns, "<$slot")},
}
OTHER_SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "dialogue", "schema": answer_schema(templates()[1].turns, "<$slot")},
}
REPLIES = {**ODD_REPLIES, **{f"quirk: {name}": quirk.reply for name, quirk in QUIRKS.items()}}
MORE_REPLIES = {
    "a good answer": OddReply(fields={"model": "gpt-4o-mini-2024-07-18"}),
    "a version with a price of its own": OddReply(fields={"model": "gpt-4o-2024-05-13"}),
    "cached tokens": OddReply(
        fields={
            "usage": {
                "prompt_tokens": 2000,
                "completion_tokens": 30,
                "prompt_tokens_details": {"cached_tokens": 1024},
            }
        }
    ),
    "reasoning in the text": OddReply(
        fields={"message": {"content": "<think>Rain.</think>User: hi"}}
    ),
    "another case of the finish reason": OddReply(fields={"choice": {"finish_reason": "STOP"}}),
    "a redirection to nowhere": error_reply(307, "elsewhere", Location="/v1/nowhere"),
    "two choices": OddReply(fields={"choices": completion()["choices"] * 2}),
}


class Watched:
    """A client whose calls' arrivals are kept."""

    def __init__(self, generate: Generate) -> None:
        self.generate = generate
        self.client = LiteLLMClient(generate)

    async def ask(
        self, messages: tuple[Message, ...], response_format: Mapping[str, Any] | None = None
    ) -> Reply | tuple[Any, ...]:
        """Return the reply, or what is known of the failure."""
        request = make_request(self.generate, messages, response_format)
        try:
            return await self.client.complete(request, 20)
        except CallError as error:
            reply = error.reply if isinstance(error, UnusableReply) else None
            return error.kind, error.message, error.status, error.billed, reply


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> list[Arrival]:
    """Return the arrivals of the calls, as they are made."""
    kept: list[Arrival] = []

    def watch(max_answer_bytes: int) -> Arrival:
        kept.append(watch_response(max_answer_bytes))
        return kept[-1]

    monkeypatch.setattr(client_module, "watch_response", watch)
    return kept


@pytest.fixture
def through_litellm(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the models of the calls that litellm was asked for, as they are made."""
    litellm, asked = load_litellm(), []
    complete = litellm.acompletion

    async def count(**arguments: Any) -> Any:
        asked.append(arguments["model"])
        return await complete(**arguments)

    monkeypatch.setattr(litellm, "acompletion", count)
    yield asked


def settings(server: ModelServer, model: str = "openai/gpt-4o-mini", **changes: Any) -> Generate:
    limits = Limits(max_retries=0, timeout_s=20, max_answer_bytes=1_000_000)
    return Generate(model=model, api_base=server.address, limits=limits, **changes)


def compared(server: ModelServer, generate: Generate, reply: OddReply) -> list[Any]:
    """Return how a question ends that is answered so: as a client's first, and as its second."""

    async def ask(*, learns_first: bool) -> tuple[Any, dict[str, Any]]:
        watched = Watched(generate)
        if learns_first:
            assert isinstance(await watched.ask(FIRST), Reply)
        await asyncio.to_thread(server.behave, odd=[reply.as_json()])
        await asyncio.to_thread(server.reset)
        outcome = await watched.ask(SECOND)
        tally = await asyncio.to_thread(server.tally)
        await asyncio.to_thread(server.behave, odd=[])
        return outcome, {name: tally[name] for name in ("billed", "requests")}

    return [asyncio.run(ask(learns_first=learnt)) for learnt in (False, True)]


@pytest.mark.parametrize("name", [*REPLIES, *MORE_REPLIES])
def test_every_reply_ends_the_same_on_both_ways(server: ModelServer, name: str) -> None:
    reply = {**REPLIES, **MORE_REPLIES}[name]
    through, past = compared(server, settings(server), reply)
    assert _comparable(past[0]) == _comparable(through[0])
    assert past[1] == through[1]


def _comparable(outcome: Any) -> Any:
    """Return an outcome without the exact cent fractions that two orders of adding give."""
    if isinstance(outcome, Reply) and outcome.cost_usd is not None:
        return vars(outcome) | {"cost_usd": None}
    return vars(outcome) if isinstance(outcome, Reply) else outcome


@pytest.mark.parametrize("model", ["openai/gpt-4o", "openai/gpt-4o-mini", "openai/gpt-5-mini"])
@pytest.mark.parametrize("name", MORE_REPLIES)
def test_the_price_is_the_same_on_both_ways(server: ModelServer, model: str, name: str) -> None:
    from tasks.llm.billing import Expected, bill_of

    generate = settings(server, model, temperature=1.0)
    price, expected = LiteLLMClient(generate).price, Expected(500.0, 50.0, 100_000.0)
    outcomes = [outcome for outcome, _ in compared(server, generate, MORE_REPLIES[name])]
    bills = [
        bill_of(expected, outcome, price).cost_usd
        for outcome in outcomes
        if isinstance(outcome, Reply)
    ]
    assert len(bills) in (0, 2)
    assert not bills or bills[1] == pytest.approx(bills[0], rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "response_formats"),
    [
        ({}, (None, None)),
        ({"temperature": 0.2, "top_p": 0.9, "seed": 4, "max_tokens": 300}, (None, None)),
        ({"extra": {"num_ctx": 8192, "stop": ["END"]}}, (None, None)),
        ({"structured_output": "json_schema"}, (SCHEMA, OTHER_SCHEMA)),
        ({"structured_output": "json_object"}, (SCHEMA, OTHER_SCHEMA)),
        (
            {
                "model": "openai/gpt-5-mini",
                "temperature": 1.0,
                "extra": {"reasoning_effort": "low"},
            },
            (None, None),
        ),
    ],
)
def test_the_same_bytes_are_sent_on_both_ways(
    server: ModelServer,
    arrivals: list[Arrival],
    through_litellm: list[str],
    changes: dict[str, Any],
    response_formats: tuple[Any, Any],
) -> None:
    generate = settings(server, **changes)

    async def ask(*, learns_first: bool) -> httpx.Request:
        watched = Watched(generate)
        if learns_first:
            assert isinstance(await watched.ask(FIRST, response_formats[0]), Reply)
            through_litellm.clear()
        assert isinstance(await watched.ask(SECOND, response_formats[1]), Reply)
        (_, sent) = arrivals[-1].sent[0]
        return sent

    through = asyncio.run(ask(learns_first=False))
    past = asyncio.run(ask(learns_first=True))
    assert not through_litellm  # it was not asked again
    assert past.content == through.content
    assert sorted(past.headers.raw) == sorted(through.headers.raw)
    assert (past.method, past.url) == (through.method, through.url)
    assert past.extensions["timeout"] == through.extensions["timeout"]


def test_litellm_is_asked_once_for_each_set_of_parameters(
    server: ModelServer, through_litellm: list[str]
) -> None:
    watched = Watched(settings(server))

    async def ask_all() -> None:
        for n in range(5):
            assert isinstance(
                await watched.ask(({"role": "user", "content": f"Question {n}"},)), Reply
            )
            assert isinstance(await watched.ask(SECOND, SCHEMA), Reply)

    asyncio.run(ask_all())
    asyncio.run(ask_all())  # in another event loop, over a connection of its own
    assert len(through_litellm) == 2
    assert server.tally()["requests"] == 20


def test_vllm_is_asked_past_litellm_alike(
    server: ModelServer,
    arrivals: list[Arrival],
    through_litellm: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "x")
    for name, reply in {**MORE_REPLIES, "HTML": ODD_REPLIES["HTML"]}.items():
        through_litellm.clear()
        through, past = compared(server, settings(server, "hosted_vllm/some-model"), reply)
        assert _comparable(past[0]) == _comparable(through[0]), name
        assert past[1] == through[1]
        # By the first client, and by the second for the question that it learns from.
        assert name != "a good answer" or len(through_litellm) == 2
        by_litellm, by_form = (json.loads(one.sent[0][1].content) for one in arrivals[-3::2])
        assert by_form == by_litellm


@pytest.mark.parametrize("provider", ["groq", "lm_studio"])
def test_other_providers_are_asked_through_litellm(
    server: ModelServer,
    through_litellm: list[str],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
) -> None:
    monkeypatch.setenv(f"{provider.upper()}_API_KEY", "x")
    watched = Watched(settings(server, f"{provider}/some-model"))

    async def ask_all() -> None:
        for messages in (FIRST, SECOND):
            assert isinstance(await watched.ask(messages), Reply)

    asyncio.run(ask_all())
    assert len(through_litellm) == 2


def test_the_key_is_in_no_text_of_a_form(server: ModelServer) -> None:
    from tests.support.model_fixtures import MARKER_KEY

    watched = Watched(settings(server))
    assert isinstance(asyncio.run(watched.ask(FIRST)), Reply)
    forms = watched.client._direct._forms
    assert len(forms) == 1
    assert MARKER_KEY not in repr(forms)
