"""Rankings by the log-probabilities of a server that echoes prompts with them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from flows.evaluation.client import asking
from flows.evaluation.models import model_settings
from flows.evaluation.recommend import _check_model
from tasks.errors import UserError
from tasks.evaluation.likelihood import AT_ONCE, likelihood_rankings, rank_by_server
from tasks.evaluation.prompts import load_recommend_profile
from tasks.evaluation.references import Knowledge
from tasks.llm import CallFailed
from tasks.settings import Home, Limits
from tests.evaluation.test_likelihood import benchmark
from tests.support.talk import TITLES, Replies

MODEL = "openai/some-model"
PIECE = re.compile(r"\s*\S{1,4}")


def likelihood(piece: str) -> float:
    """Return what the server says of a token: the more vowels, the likelier."""
    return -5.0 + sum(letter in "aeiou" for letter in piece)


def echoed(prompt: str, index: int, start: str) -> dict[str, Any]:
    """Return a choice of an echoed prompt: after a token that starts it, and before one more."""
    pieces = [*PIECE.finditer(prompt)]
    first, ahead = [start] if start else [], len(start)
    values = [None, *(likelihood(piece.group()) for piece in pieces)]
    places = [piece.start() + ahead for piece in pieces]
    return {
        "index": index,
        "text": f"{prompt} more",
        "finish_reason": "length",
        "logprobs": {
            "tokens": [*first, *(piece.group() for piece in pieces), " more"],
            "text_offset": [*([0] if start else []), *places, pieces[-1].end() + ahead],
            "token_logprobs": [*(values if start else [None, *values[2:]]), 99.0],
            "top_logprobs": None,
        },
    }


class Server:
    """A server of text completions; what it gives of log-probabilities is a choice."""

    def __init__(self, gives: str = "all", start: str = "") -> None:
        self.gives, self.start, self.bodies = gives, start, list[dict[str, Any]]()

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        choices = [echoed(text, place, self.start) for place, text in enumerate(body["prompt"])]
        if self.gives == "none":
            choices = [{**choice, "logprobs": None} for choice in choices]
        if self.gives == "of the answer alone":
            for choice in choices:
                choice["text"] = " more"
                choice["logprobs"] |= {
                    "tokens": [" more"],
                    "text_offset": [0],
                    "token_logprobs": [-1.0],
                }
        usage = {"prompt_tokens": 900, "completion_tokens": 1, "total_tokens": 901}
        made = {"id": "cmpl-1", "object": "text_completion", "created": 0, "model": "some-model"}
        # In any order: the index says which prompt a choice is of.
        return web.json_response({**made, "choices": choices[::-1], "usage": usage})


@asynccontextmanager
async def serve(server: Server, path: str = "/v1/completions") -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post(path, server.complete)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")


def mean_of_title(prompt: str, begins: int) -> float:
    """Return the mean over the tokens that reach beyond a place."""
    pieces = [piece for piece in PIECE.finditer(prompt) if piece.end() > begins]
    return sum(likelihood(piece.group()) for piece in pieces) / len(pieces)


async def ranked(tmp_path: Path, address: str) -> tuple[Any, Any]:
    asked = benchmark()
    profile = load_recommend_profile(Home(), "recommend_json")
    settings = model_settings(MODEL, address, Limits(max_retries=0), 0.0)
    async with asking(Home(data=tmp_path), "run") as client:
        way = client.of(settings)
        rankings = await likelihood_rankings(
            asked, lambda question: way(question).rank, profile, "zero-shot", history=True
        )
        return rankings, client.usage


@pytest.mark.parametrize("start", ["", "<|begin_of_text|>"])
async def test_titles_are_ranked_by_the_mean_of_their_own_tokens(
    tmp_path: Path, start: str
) -> None:
    server, asked = Server(start=start), benchmark()
    async with serve(server) as address:
        rankings, usage = await ranked(tmp_path, address)
        sent = len(server.bodies)
        again, stored = await ranked(tmp_path, address)
    assert sent == len(server.bodies) == usage.answered and again == rankings
    assert (stored.answered, stored.stored) == (0, usage.answered)
    assert all(
        body["echo"] and body["logprobs"] and "messages" not in body for body in server.bodies
    )
    for ranking, sample in zip(rankings, asked.questions, strict=True):
        prompts = [body["prompt"] for body in server.bodies]
        start = next(
            prompt
            for group in prompts
            for prompt in group
            if all(turn.text in prompt for turn in sample.context)
        )
        begins = start.rindex('["') + 2
        expected = {
            item: mean_of_title(f'{start[:begins]}{title}"', begins)
            for item, title in TITLES.items()
            if item not in sample.history and item not in sample.mentioned
        }
        best = sorted(expected, key=lambda item: -round(expected[item], 6))
        assert [expected[item] for item in ranking.items] == pytest.approx(
            [expected[item] for item in best], abs=1e-5
        )
        assert set(ranking.items) == expected.keys()


@pytest.mark.parametrize("gives", ["none", "of the answer alone"])
async def test_a_server_without_log_probabilities_is_refused(tmp_path: Path, gives: str) -> None:
    async with serve(Server(gives)) as address:
        with pytest.raises(UserError, match="returns no log-probabilities of a prompt") as refused:
            await ranked(tmp_path, address)
    assert "\n" not in str(refused.value) and "--rank generate" in str(refused.value)


async def test_a_server_without_text_completions_is_refused(tmp_path: Path) -> None:
    async with serve(Server(), "/v1/chat/completions") as address:
        with pytest.raises(UserError, match="refuses") as refused:
            await ranked(tmp_path, address)
    assert "\n" not in str(refused.value)


async def test_many_texts_are_several_requests_and_one_ranking() -> None:
    def reply(_: object) -> str:
        return "[]"

    texts = [f"text {number}" for number in range(2 * AT_ONCE + 1)]
    model = Replies(reply)
    with pytest.raises(IndexError):
        await rank_by_server(Replies(reply), (), [], most=3)
    answer = await rank_by_server(model, (), texts, most=3)
    wanted = [text for each in model.formats if each for text in each["texts"]]
    assert wanted == texts and {each["common"] for each in model.formats if each} == {len("text ")}
    assert answer.text == "[]"


async def test_a_question_without_an_answer_has_no_ranking() -> None:
    asked = benchmark()
    lost = asked.questions[0].sample_id

    async def rank(messages: Any, texts: Any, *, most: int) -> Any:
        raise CallFailed("no answer", "filtered", 1)

    async def first(messages: Any, texts: Any, *, most: int) -> Any:
        return await Replies(lambda _: "[[0, -1.0]]")(())

    profile = load_recommend_profile(Home(), "recommend_json")
    rankings = await likelihood_rankings(
        asked,
        lambda question: rank if question == lost else first,
        profile,
        "zero-shot",
        history=True,
    )
    assert [ranking is None for ranking in rankings] == [True, False]


def test_which_models_can_be_ranked_by() -> None:
    nothing = Knowledge({}, (), {})
    _check_model(Home(), MODEL, nothing, "likelihood")
    with pytest.raises(UserError, match="or openai/NAME, not anthropic/model"):
        _check_model(Home(), "anthropic/model", nothing, "likelihood")
    with pytest.raises(UserError, match="such as local/smollm2, not openai/some-model"):
        _check_model(Home(), MODEL, nothing, "constrained")
