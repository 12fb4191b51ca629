"""A session against the mock server: what each kind of error becomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.llm import (
    Answer,
    Budget,
    CallFailed,
    Entry,
    KnownAnswers,
    RunStopped,
    Session,
    WriteAheadLog,
    read_journal,
)
from tasks.llm.prices import find_price
from tasks.settings import Generate
from tests.support.model_fixtures import MARKER_KEY
from tests.support.model_process import ModelServer

Talk = Callable[[Session, WriteAheadLog], Awaitable[Any]]


def settings(server: ModelServer, **limits: Any) -> Generate:
    return Generate(
        model="openai/gpt-4o-mini",
        api_base=server.address,
        limits={"timeout_s": 30, "concurrency": 32, **limits},
    )


def talk(
    tmp_path: Path,
    generate: Generate,
    what: Talk,
    budget: float | None = None,
    known: dict[str, Answer] | None = None,
) -> Any:
    async def main() -> Any:
        session = Session(generate, KnownAnswers(known or {}), Budget(budget), "run")
        journal = WriteAheadLog(tmp_path / f"{time.time_ns()}.jsonl")
        try:
            return await what(session, journal), session
        finally:
            await journal.close()

    return asyncio.run(main())


def message(number: int | str = 1) -> tuple[dict[str, str], ...]:
    return (
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": f"question {number}"},
    )


async def one(session: Session, journal: WriteAheadLog) -> Answer:
    return await session.ask_for("d1", 1, journal)(message())


def journaled(tmp_path: Path) -> list[Entry | None]:
    return [entry for path in tmp_path.glob("*.jsonl") for entry in read_journal(path)]


def test_an_answer_is_kept_with_all_that_is_known_of_it(
    server: ModelServer, tmp_path: Path
) -> None:
    answer, session = talk(tmp_path, settings(server), one)
    tally = server.tally()
    assert (answer.prompt_tokens, answer.completion_tokens) == (
        tally["prompt_tokens"],
        tally["completion_tokens"],
    )
    assert answer.cost_usd == pytest.approx(
        1.5e-7 * answer.prompt_tokens + 6e-7 * answer.completion_tokens
    )
    assert (answer.finish_reason, answer.model_returned, answer.retries) == (
        "stop",
        "gpt-4o-mini-0001",
        0,
    )
    assert (
        answer.provider_id.startswith("chatcmpl-")
        and answer.api_base == server.address
        and answer.latency_s > 0
    )
    assert journaled(tmp_path) == [Entry(answer, "d1", 1, "run")]
    assert session.meter.usage.answered == 1


def test_a_stored_answer_needs_no_model_no_key_and_no_litellm(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, _ = talk(tmp_path, settings(server), one)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr("tasks.llm.session.LiteLLMClient", None)
    again, session = talk(tmp_path, settings(server), one, known={answer.request_key: answer})
    assert again == answer and session.meter.usage.stored == 1
    assert server.tally()["requests"] == 1


def test_a_request_in_flight_is_not_sent_again(server: ModelServer, tmp_path: Path) -> None:
    server.behave(latency_s=0.2)

    async def five(session: Session, journal: WriteAheadLog) -> list[Answer]:
        return list(
            await asyncio.gather(
                *(session.ask_for(f"d{n}", 1, journal)(message()) for n in range(5))
            )
        )

    answers, _ = talk(tmp_path, settings(server), five)
    assert len({answer.provider_id for answer in answers}) == 1 and server.tally()["billed"] == 1


@pytest.mark.parametrize(
    "fault", ["429", "429_after", "429_date", "500", "503", "reset", "malformed", "empty"]
)
@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "hosted_vllm/mine"])
def test_a_transient_error_is_retried_and_then_recorded(
    server: ModelServer, tmp_path: Path, model: str, fault: str
) -> None:
    server.behave(faults={fault: 1.0}, retry_after_s=0.01)
    with pytest.raises(CallFailed) as failed:
        talk(tmp_path, settings(server, max_retries=1).model_copy(update={"model": model}), one)
    assert failed.value.tries == 2 and server.tally()["requests"] == 2
    kept = journaled(tmp_path)  # an answer that arrived and cannot be read is billed all the same
    billed = 2 if fault in ("malformed", "empty") else 0
    assert [(entry.problem, entry.answer.usage_estimated) for entry in kept] == [
        ("malformed", True)
    ] * billed


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("anthropic/claude-haiku-4-5", ""),
        ("ollama_chat/llama3", ""),
        ("hosted_vllm/meta-llama/Llama-3.1-8B-Instruct", "/v1"),
        ("openai/llama3", "/v1"),  # Ollama's and vLLM's OpenAI-compatible endpoints
    ],
)
def test_other_providers_apis_are_understood(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, path: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", MARKER_KEY)
    generate = settings(server).model_copy(
        update={"model": model, "api_base": server.address.removesuffix("/v1") + path}
    )
    answer, _ = talk(tmp_path, generate, one)
    tally = server.tally()
    assert (answer.prompt_tokens, answer.completion_tokens) == (
        tally["prompt_tokens"],
        tally["completion_tokens"],
    )
    assert (
        answer.finish_reason == "stop"
        and answer.text.startswith('{"turns"')
        and tally["billed"] == 1
    )
    price = find_price(generate)
    assert answer.cost_usd == (
        pytest.approx(price.of(answer.prompt_tokens, answer.completion_tokens)) if price else None
    )
    assert not model.startswith("anthropic/") or (answer.cost_usd or 0) > 0
    server.behave(faults={"length": 1.0})
    cut, _ = talk(tmp_path, generate.model_copy(update={"seed": None, "temperature": 0.2}), one)
    assert cut.finish_reason == "length"


@pytest.mark.parametrize(
    ("model", "path"), [("anthropic/claude-haiku-4-5", ""), ("hosted_vllm/mine", "/v1")]
)
def test_other_providers_refusals_are_distinguished(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, path: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", MARKER_KEY)
    generate = settings(server, max_retries=0).model_copy(
        update={"model": model, "api_base": server.address.removesuffix("/v1") + path}
    )
    server.behave(faults={"429_after": 1.0}, retry_after_s=0.01)
    with pytest.raises(CallFailed) as limited:
        talk(tmp_path, generate, one)
    assert limited.value.kind == "rate"
    server.behave(faults={}, key="another")
    with pytest.raises(UserError, match="refuses"):
        talk(tmp_path, generate, one)


def test_an_error_that_passes_is_only_counted(server: ModelServer, tmp_path: Path) -> None:
    async def two(session: Session, journal: WriteAheadLog) -> Answer:
        server.behave(down=True)
        asking = asyncio.create_task(session.ask_for("d1", 1, journal)(message()))
        while not await asyncio.to_thread(lambda: server.tally()["requests"]):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.behave, down=False)
        return await asking

    answer, session = talk(tmp_path, settings(server), two)
    assert (
        answer.finish_reason == "stop"
        and answer.retries >= 1
        and session.meter.usage.retried == answer.retries
    )


def test_a_server_that_hangs_is_given_up_after_the_timeout(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(faults={"hang": 1.0})
    # The server never answers: it is the timeout that ends the call.
    with pytest.raises(CallFailed, match="timeout"):
        talk(tmp_path, settings(server, max_retries=0, timeout_s=0.3), one)


def test_an_answer_that_was_cut_off_is_an_outcome(server: ModelServer, tmp_path: Path) -> None:
    server.behave(faults={"length": 1.0})
    answer, _ = talk(tmp_path, settings(server), one)
    assert answer.finish_reason == "length" and len(journaled(tmp_path)) == 1
    assert server.tally()["requests"] == 1


def test_a_filtered_answer_is_a_failure_that_is_billed_once(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(faults={"filter": 1.0})
    with pytest.raises(CallFailed, match="finish reason 'content_filter'"):
        talk(tmp_path, settings(server), one)
    (entry,) = journaled(tmp_path)
    assert isinstance(entry, Entry) and entry.problem == "filtered"
    assert server.tally()["requests"] == 1


def test_retry_after_is_waited_for(server: ModelServer, tmp_path: Path) -> None:
    server.behave(faults={"429_after": 1.0}, retry_after_s=0.8)
    began = time.monotonic()
    with pytest.raises(CallFailed):
        talk(tmp_path, settings(server, max_retries=1), one)
    assert time.monotonic() - began >= 0.8


def test_a_wrong_key_ends_the_run_at_once_without_naming_it(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(key="another")

    async def many(session: Session, journal: WriteAheadLog) -> list[Any]:
        return list(
            await asyncio.gather(
                *(session.ask_for(f"d{n}", 1, journal)(message(n)) for n in range(200)),
                return_exceptions=True,
            )
        )

    errors, session = talk(tmp_path, settings(server, concurrency=4), many)
    assert {type(error) for error in errors} == {UserError}
    assert server.tally()["requests"] <= 4
    assert MARKER_KEY not in " ".join(map(str, errors)) and "refuses 'openai/gpt-4o-mini'" in str(
        session.stopped
    )


def test_a_model_the_provider_does_not_have_ends_the_run(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(models=["other"])
    with pytest.raises(UserError, match="does not exist"):
        talk(tmp_path, settings(server), one)


def test_a_429_for_missing_credit_ends_the_run(server: ModelServer, tmp_path: Path) -> None:
    server.behave(faults={"quota": 1.0})
    with pytest.raises(UserError, match="quota"):
        talk(tmp_path, settings(server), one)
    assert server.tally()["requests"] == 1


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("nonsense/x", "no such provider"),
        ("anthropic/claude-3-haiku-20240307", "ANTHROPIC_API_KEY"),
        ("openai/x", "OPENAI_API_KEY"),
    ],
)
def test_a_model_that_cannot_work_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, line: str
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=line):
        talk(tmp_path, Generate(model=model), one)


def test_a_parameter_that_the_model_does_not_take_is_a_user_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", MARKER_KEY)
    with pytest.raises(UserError, match="take it out of generate.extra"):
        talk(tmp_path, Generate(model="openai/o1", extra={"presence_penalty": 0.5}), one)


def test_a_temperature_that_litellm_does_not_send_is_left_out(
    server: ModelServer, tmp_path: Path
) -> None:
    generate = Generate(model="openai/o1", temperature=0.3, api_base=server.address)
    answer, session = talk(tmp_path, generate, one)
    assert answer.text and server.tally()["requests"] == 1
    assert [found.parameter for found in session.adaptations] == ["temperature"]


def test_a_budget_without_a_price_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "none")
    with pytest.raises(UserError, match="price of 'hosted_vllm/mine' is unknown"):
        talk(
            tmp_path,
            Generate(model="hosted_vllm/mine", api_base="http://127.0.0.1:9/v1"),
            one,
            budget=1.0,
        )


def test_a_spent_budget_ends_the_run(server: ModelServer, tmp_path: Path) -> None:
    async def in_turn(session: Session, journal: WriteAheadLog) -> list[Answer]:
        answers = []
        try:
            for number in range(100):
                answers.append(await session.ask_for("d", 1, journal)(message(number)))
        except RunStopped as stopped:
            assert stopped.reason == "budget"
        return answers

    answers, session = talk(tmp_path, settings(server), in_turn, budget=0.003)
    spent = sum(answer.cost_usd for answer in answers)
    assert spent == pytest.approx(session.meter.usage.cost_usd)
    largest = max(answer.cost_usd for answer in answers)
    assert 0.003 - 2 * largest <= spent <= 0.003 + largest and len(journaled(tmp_path)) == len(
        answers
    )


def test_the_mock_model_costs_nothing_and_needs_no_key(tmp_path: Path) -> None:
    answer, session = talk(tmp_path, Generate(), one, budget=0.0)
    assert answer.cost_usd == 0 and answer.model_returned and session.meter.usage.unpriced == 0
