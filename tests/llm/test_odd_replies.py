"""Whatever a provider replies ends as an answer or as a recorded failure, and what it bills is counted."""

from __future__ import annotations

import asyncio
import json
import resource
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.llm import Answer, Budget, CallFailed, Entry, Journal, KeyIndex, KnownAnswers, Session, load_journal, read_journal
from tasks.llm.litellm_door import load_litellm
from tasks.llm.provider_reply import make_reply, valid_text
from tasks.settings import Generate, Limits
from tasks.warehouse import create_tables
from tests.support.model_process import ModelServer

PRICES = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
MESSAGES = ({"role": "user", "content": "Write a dialogue about a rainy evening."},)
SURROGATE = "\ud800"


def odd_settings(server: ModelServer, model: str = "openai/gpt-4o-mini", **limits: Any) -> Generate:
    allowed = Limits(**{"max_retries": 0, "timeout_s": 20, **limits})
    return Generate(model=model, api_base=server.address, limits=allowed, **PRICES)


def ask_once(tmp_path: Path, generate: Generate, budget: float | None = None) -> tuple[Answer | CallFailed, Session, Path]:
    """Ask one question and return the answer or the failure, the session, and the journal."""

    async def main() -> tuple[Answer | CallFailed, Session, Path]:
        session = Session(generate, KnownAnswers({}), Budget(budget), "run")
        journal = Journal(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl")
        try:
            return await session.ask_for("d1", 1, journal)(MESSAGES), session, journal.path
        except CallFailed as failure:
            return failure, session, journal.path
        finally:
            await journal.close()

    return asyncio.run(main())


def completion(**fields: Any) -> dict[str, Any]:
    """Return a good chat completion with some of its fields replaced."""
    message = {"role": "assistant", "content": fields.pop("content", "Hello there.")}
    choice = {"index": 0, "message": message, "finish_reason": fields.pop("finish_reason", "stop")}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    whole["usage"] = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}
    return {**whole, **fields}


def load(path: Path) -> tuple[duckdb.DuckDBPyConnection, Any]:
    con = duckdb.connect()
    create_tables(con)
    return con, load_journal(con, path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([SURROGATE, "\x00", "\x1b[2J", "x" * 5000, 10**30, -(10**30), -1, 1e308, "", [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "content": JSON,
        "finish_reason": JSON,
        "id": JSON,
        "model": JSON,
        "choices": JSON,
        "usage": JSON
        | st.fixed_dictionaries({}, optional={"prompt_tokens": JSON, "completion_tokens": JSON, "prompt_tokens_details": JSON}),
        "error": JSON,
        "object": JSON,
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(FIELDS)
def test_any_reply_is_stored_or_recorded_and_loads(server: ModelServer, tmp_path: Path, fields: dict[str, Any]) -> None:
    server.reset()
    server.behave(body=json.dumps(completion(**fields)))
    found, session, path = ask_once(tmp_path, odd_settings(server))
    billed = server.tally()["billed"]
    entries = list(read_journal(path)) if path.exists() else []
    assert all(isinstance(entry, Entry) for entry in entries)
    con, loaded = load(path)
    assert (loaded.quarantined, loaded.torn) == (0, 0)
    assert loaded.new == isinstance(found, Answer)
    assert loaded.new + loaded.unusable == billed == 1
    assert session.meter.usage.cost_usd > 0
    KeyIndex.of_store(con)


def test_text_that_cannot_be_stored_is_mended(server: ModelServer, tmp_path: Path) -> None:
    server.behave(body=json.dumps(completion(content=f"a{SURROGATE}b\x00c \ud83d\ude00", id=7, model={"a": 1})))
    found, _, path = ask_once(tmp_path, odd_settings(server))
    assert isinstance(found, Answer) and found.text == "a\ufffdb\ufffdc \U0001f600"
    con, _ = load(path)
    assert con.execute("SELECT provider_id, model_returned FROM responses").fetchall()[0][0] == "7"


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, exclude_categories=[])))
def test_any_text_can_be_stored_after_mending(text: str) -> None:
    mended = valid_text(text)
    assert mended.encode() and "\x00" not in mended if text else mended == ""
    assert valid_text(mended) == mended


@given(JSON, JSON, JSON)
def test_counts_are_whole_numbers_or_unknown(prompt: Any, completion_tokens: Any, cost: Any) -> None:
    reply = make_reply(
        content="x",
        finish_reason=prompt,
        prompt_tokens=prompt,
        completion_tokens=completion_tokens,
        model=cost,
        provider_id=prompt,
        cost_usd=cost,
        max_bytes=10,
    )
    assert reply.prompt_tokens is None or reply.prompt_tokens >= 0
    assert reply.cost_usd is None or 0 <= reply.cost_usd < float("inf")
    assert max(map(len, (reply.model, reply.provider_id, reply.finish_reason))) <= 200


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": -120_000, "completion_tokens": 4},
        {"prompt_tokens": 12, "completion_tokens": -60_000},
        {"prompt_tokens": 10**30, "completion_tokens": 4},
        {"prompt_tokens": 12, "completion_tokens": 10**12},
        {"prompt_tokens": 3_000_000, "completion_tokens": 4},
        {"prompt_tokens": 12, "completion_tokens": 0},
        {"prompt_tokens": "12", "completion_tokens": None},
    ],
)
def test_usage_that_cannot_be_true_is_charged_by_forecast(server: ModelServer, tmp_path: Path, usage: Any) -> None:
    server.behave(body=json.dumps(completion(usage=usage)))
    found, session, path = ask_once(tmp_path, odd_settings(server), budget=100.0)
    assert isinstance(found, Answer) and found.usage_estimated
    sent = len(MESSAGES[0]["content"])
    assert found.prompt_tokens == round(sent / 4) and found.completion_tokens == len("Hello there.") / 4
    assert found.cost_usd == pytest.approx(found.prompt_tokens * 0.001 + found.completion_tokens * 0.002)
    assert (session.meter.usage.estimated, session.meter.usage.cost_usd) == (1, found.cost_usd)
    con, _ = load(path)
    assert con.execute("SELECT usage_estimated, cost_usd FROM responses").fetchall() == [(True, found.cost_usd)]


def test_usage_that_can_be_true_is_taken_as_it_is(server: ModelServer, tmp_path: Path) -> None:
    server.behave(body=json.dumps(completion()))
    found, session, _ = ask_once(tmp_path, odd_settings(server))
    assert isinstance(found, Answer) and not found.usage_estimated and session.meter.usage.estimated == 0
    assert (found.prompt_tokens, found.completion_tokens, found.cost_usd) == (12, 4, pytest.approx(0.012 + 0.008))


@pytest.mark.parametrize("body", ["", "{", '{"id": "x", "choices": [{"mess', "<html>busy</html>", "null", "[]", "7", '"text"'])
def test_a_billed_answer_that_cannot_be_read_is_charged(server: ModelServer, tmp_path: Path, body: str) -> None:
    server.behave(body=body)
    found, session, path = ask_once(tmp_path, odd_settings(server))
    assert isinstance(found, CallFailed) and found.kind == "malformed"
    con, loaded = load(path)
    assert (loaded.new, loaded.unusable) == (0, 1)
    rows = con.execute("SELECT problem, cost_usd FROM unusable_answers").fetchall()
    assert rows == [("malformed", pytest.approx(session.meter.usage.cost_usd))] and rows[0][1] > 0


@pytest.mark.parametrize("encoding", ["plain", "gzip"])
@pytest.mark.parametrize(
    ("model", "path"), [("openai/gpt-4o-mini", "/v1"), ("hosted_vllm/m", "/v1"), ("ollama_chat/m", ""), ("anthropic/claude-haiku-4-5", "")]
)
def test_an_endless_answer_is_cut_off_and_paid_once(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, path: str, encoding: str
) -> None:
    load_litellm()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    server.behave(endless=encoding)
    generate = odd_settings(server, model, max_retries=3, max_answer_bytes=1_000_000)
    generate = generate.model_copy(update={"api_base": server.address.removesuffix("/v1") + path})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, session, journal = ask_once(tmp_path, generate)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert isinstance(found, CallFailed) and found.kind == "oversized" and "max_answer_bytes (1,000,000)" in str(found)
    tally = server.tally()
    assert tally["requests"] == 1  # another try would be paid for again
    assert tally["sent_bytes"] < 290_000_000 or encoding == "gzip"  # the connection was closed on it
    assert grown_mib < 100
    con, loaded = load(journal)
    assert loaded.unusable == 1 and session.meter.usage.unusable == 1
    assert con.execute("SELECT problem FROM unusable_answers").fetchall() == [("oversized",)]


def test_a_text_over_the_cap_in_a_small_body_is_refused(server: ModelServer, tmp_path: Path) -> None:
    server.behave(body=json.dumps(completion(content="y" * 1_001)))
    found, _, _ = ask_once(tmp_path, odd_settings(server, max_answer_bytes=1_000))
    assert isinstance(found, CallFailed) and found.kind == "oversized"
    server.behave(body=json.dumps(completion(content="y" * 1_000)))
    found, _, _ = ask_once(tmp_path, odd_settings(server, max_answer_bytes=1_000))
    assert isinstance(found, Answer) and len(found.text) == 1_000
