"""Usage that is missing is forecast and counted; cached and reasoning tokens are read and priced."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from tasks.funnel import cost_totals
from tasks.generate.chunk_results import replace_transcripts
from tasks.llm import (
    Answer,
    Budget,
    CallFailed,
    KnownAnswers,
    Price,
    RunStopped,
    Session,
    Transcript,
    WriteAheadLog,
)
from tasks.llm.batch import read_result
from tasks.llm.provider_reply import Reply
from tasks.llm.token_details import NO_DETAILS, TokenDetails, token_details
from tasks.settings import Generate, Limits
from tests.llm.test_odd_replies import ask_once, load, odd_settings
from tests.support.model_process import ModelServer
from tests.support.odd_replies import OddReply, completion

NO_USAGE = {
    "missing": None,
    "null counts": {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
    "zeros": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
}
OPENAI = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 80},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
ANTHROPIC = {"cache_read_input_tokens": 80, "cache_creation_input_tokens": 10}
READ = {
    "openai": (OPENAI, TokenDetails(80, 0, 30)),
    "anthropic": (ANTHROPIC, TokenDetails(80, 10, 0)),
    "deepseek": ({"prompt_cache_hit_tokens": 7, "reasoning_tokens": 3}, TokenDetails(7, 0, 3)),
    "objects": (
        SimpleNamespace(prompt_tokens_details=SimpleNamespace(cached_tokens=5)),
        TokenDetails(5, 0, 0),
    ),
    "nothing": (None, NO_DETAILS),
    "odd types": (
        {"prompt_tokens_details": [1], "cache_read_input_tokens": "9", "reasoning_tokens": True},
        NO_DETAILS,
    ),
    "negative": ({"prompt_cache_hit_tokens": -3}, NO_DETAILS),
}


def with_usage(usage: Any) -> dict[str, Any]:
    return OddReply(fields={"usage": usage}).as_json()


@pytest.mark.parametrize("kind", NO_USAGE)
def test_a_budget_holds_where_no_usage_is_sent(
    server: ModelServer, tmp_path: Path, kind: str
) -> None:
    server.behave(odd=[with_usage(NO_USAGE[kind])])
    server.reset()
    limits = Limits(concurrency=4, max_retries=0, timeout_s=20)
    prices = {"input_cost_per_token": 1e-5, "output_cost_per_token": 2e-5}
    generate = Generate(
        model="openai/gpt-4o-mini",
        api_base=server.address,
        max_tokens=200,
        limits=limits,
        **prices,
    )

    async def main() -> Session:
        session = Session(generate, KnownAnswers({}), Budget(0.02), "run")
        journal = WriteAheadLog(tmp_path / "many.jsonl")
        asks = (
            session.ask_for(f"d{n}", 1, journal)(({"role": "user", "content": f"Film {n}."},))
            for n in range(40)
        )
        try:
            await asyncio.gather(*asks, return_exceptions=True)
        finally:
            await journal.close()
        return session

    session = asyncio.run(main())
    usage = session.meter.usage
    assert isinstance(session.stopped, RunStopped) and session.stopped.reason == "budget"
    assert usage.answered == usage.estimated == server.billed() < 40
    assert 0.01 < usage.cost_usd <= 0.02
    assert min(usage.prompt_tokens, usage.completion_tokens) > 0  # what the limit of tokens counts


@pytest.mark.parametrize("kind", READ)
def test_details_are_read_where_providers_put_them(kind: str) -> None:
    usage, details = READ[kind]
    assert token_details(usage) == details


def test_details_that_cannot_be_true_count_for_nothing() -> None:
    assert TokenDetails(80, 30, 60).within(100, 50) == NO_DETAILS
    assert TokenDetails(80, 20, 50).within(100, 50) == TokenDetails(80, 20, 50)


def test_cached_tokens_have_their_price_or_an_upper_bound() -> None:
    details = TokenDetails(cached=80, cache_write=10)
    known = Price(1.0, 2.0, "litellm", cached=0.1, cache_write=1.25)
    assert known.of(100, 50, details) == pytest.approx(10 + 80 * 0.1 + 10 * 1.25 + 100)
    unknown = Price(1.0, 2.0, "settings")
    assert unknown.of(100, 50, details) == 200
    assert unknown.is_upper_bound(details) and not known.is_upper_bound(details)
    assert not unknown.is_upper_bound(NO_DETAILS)
    assert Price(1.0, 2.0, "x", cached=0.0).of(100, 0, details) == 20  # read for nothing


def paid(server: ModelServer, folder: Path, generate: Generate) -> tuple[Answer, dict[str, Any]]:
    """Ask once; return the answer and what the funnel says of the cost."""
    found, _, journal = ask_once(folder, generate)
    assert not isinstance(found, CallFailed)
    con: duckdb.DuckDBPyConnection
    con, _ = load(journal)
    con.execute("INSERT INTO briefs (dialogue_id) VALUES ('d1')")
    transcript = Transcript("d1", 1, "answered", found.text, "stop", (found.request_key,))
    replace_transcripts(con, [transcript], profile="p", rollout="single", run_id="run")
    return found, cost_totals(con, "run")


def test_details_are_stored_and_priced(server: ModelServer, tmp_path: Path) -> None:
    server.behave(odd=[with_usage(OPENAI)])
    generate = Generate(model="openai/gpt-4o-mini", api_base=server.address)
    answer, cost = paid(server, tmp_path, generate)
    assert (answer.cached_tokens, answer.reasoning_tokens) == (80, 30)
    # gpt-4o-mini: $0.15, cached $0.075, output $0.60 a million
    assert answer.cost_usd == pytest.approx(20 * 1.5e-7 + 80 * 7.5e-8 + 50 * 6e-7)
    assert not answer.cost_is_upper_bound
    names = ("cached tokens", "reasoning tokens", "upper bounds", "estimated")
    assert [cost[name] for name in names] == [80, 30, 0, 0]


def test_a_price_without_one_for_cached_tokens_is_an_upper_bound(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(odd=[with_usage(OPENAI)])
    answer, cost = paid(server, tmp_path, odd_settings(server))
    assert answer.cost_usd == pytest.approx(100 * 0.001 + 50 * 0.002)
    assert answer.cost_is_upper_bound and cost["upper bounds"] == 1


def test_a_batch_has_its_details_too() -> None:
    body = completion(usage=OPENAI)
    line = {"custom_id": "k", "response": {"status_code": 200, "body": body}}
    found = read_result(json.dumps(line).encode(), 1_000_000)
    assert found is not None and isinstance(found[1], Reply)
    assert found[1].details == TokenDetails(80, 0, 30)
