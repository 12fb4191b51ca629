"""Any reply of a provider ends as an answer or a recorded failure, and its bill is counted."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.generate.chunk_results import replace_transcripts
from tasks.llm import (
    Answer,
    Budget,
    CallFailed,
    Entry,
    KeyIndex,
    KnownAnswers,
    ReadProblem,
    Session,
    Transcript,
    WriteAheadLog,
    load_journal,
    read_journal,
)
from tasks.llm.client import load_litellm
from tasks.llm.journal import MAX_LINE_BYTES, to_line
from tasks.llm.provider_reply import make_reply
from tasks.settings import Generate, Limits
from tasks.storable_text import valid_text
from tasks.warehouse import create_tables
from tests.support.examples import examples
from tests.support.made_up_answers import made_up_answer
from tests.support.model_process import ModelServer
from tests.support.odd_replies import ANY_JSON, ODD_REPLIES, SURROGATE, OddReply, completion

PRICES = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
MESSAGES = ({"role": "user", "content": "Write a dialogue about a rainy evening."},)


def odd_settings(server: ModelServer, model: str = "openai/gpt-4o-mini", **limits: Any) -> Generate:
    allowed = Limits(**{"max_retries": 0, "timeout_s": 20, **limits})
    return Generate(model=model, api_base=server.address, limits=allowed, **PRICES)


def ask_many(
    folder: Path,
    generate: Generate,
    calls: int,
    read_problem: ReadProblem | None = None,
    words: str = "",
) -> Session:
    """Ask many questions at once and return the session; a question that fails is left at that."""

    async def main() -> Session:
        session = Session(generate, KnownAnswers({}), Budget(None), "run", read_problem)
        journal = WriteAheadLog(folder / "many.jsonl")
        asks = (
            session.ask_for(f"d{n}", 1, journal)(
                ({"role": "user", "content": f"Question {n}.{words}"},)
            )
            for n in range(calls)
        )
        try:
            await asyncio.gather(*asks, return_exceptions=True)
        finally:
            await journal.close()
        return session

    return asyncio.run(main())


def ask_once(
    tmp_path: Path,
    generate: Generate,
    budget: float | None = None,
    response_format: dict[str, Any] | None = None,
    messages: str = "",
) -> tuple[Answer | CallFailed, Session, Path]:
    """Ask one question and return the answer or the failure, the session, and the journal."""

    async def main() -> tuple[Answer | CallFailed, Session, Path]:
        session = Session(generate, KnownAnswers({}), Budget(budget), "run")
        journal = WriteAheadLog(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl")
        try:
            ask = session.ask_for("d1", 1, journal)
            asked = ({"role": "user", "content": messages},) if messages else MESSAGES
            answer = await ask(asked, response_format=response_format)
            return answer, session, journal.path
        except CallFailed as failure:
            return failure, session, journal.path
        finally:
            await journal.close()

    return asyncio.run(main())


def load(path: Path) -> tuple[duckdb.DuckDBPyConnection, Any]:
    con = duckdb.connect()
    create_tables(con)
    return con, load_journal(con, path)


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "message": st.fixed_dictionaries(
            {}, optional={"content": ANY_JSON, "tool_calls": ANY_JSON}
        ),
        "choice": st.fixed_dictionaries(
            {}, optional={"finish_reason": ANY_JSON, "index": ANY_JSON}
        ),
        "id": ANY_JSON,
        "model": ANY_JSON,
        "choices": ANY_JSON,
        "usage": ANY_JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "prompt_tokens": ANY_JSON,
                "completion_tokens": ANY_JSON,
                "prompt_tokens_details": ANY_JSON,
            },
        ),
        "error": ANY_JSON,
        "object": ANY_JSON,
    },
)


@settings(
    max_examples=examples(80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(FIELDS)
def test_any_reply_is_stored_or_recorded_and_loads(
    server: ModelServer, tmp_path: Path, fields: dict[str, Any]
) -> None:
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


def test_text_that_cannot_be_stored_is_repaired(server: ModelServer, tmp_path: Path) -> None:
    server.behave(
        body=json.dumps(
            completion(
                message={"content": f"a{SURROGATE}b\x00c \ud83d\ude00"}, id=7, model={"a": 1}
            )
        )
    )
    found, _, path = ask_once(tmp_path, odd_settings(server))
    assert isinstance(found, Answer) and found.text == "a\ufffdb\ufffdc \U0001f600"
    con, _ = load(path)
    assert con.execute("SELECT provider_id, model_returned FROM responses").fetchall()[0][0] == "7"


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, exclude_categories=[])))
def test_any_text_can_be_stored_after_repair(text: str) -> None:
    repaired = valid_text(text)
    assert repaired.encode() and "\x00" not in repaired if text else repaired == ""
    assert valid_text(repaired) == repaired


@given(ANY_JSON, ANY_JSON, ANY_JSON)
def test_counts_are_whole_numbers_or_unknown(
    prompt: Any, completion_tokens: Any, cost: Any
) -> None:
    reply = make_reply(
        message={"content": "x"},
        finish_reason=prompt if prompt != "error" else None,
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
def test_usage_that_cannot_be_true_is_charged_by_forecast(
    server: ModelServer, tmp_path: Path, usage: Any
) -> None:
    server.behave(body=json.dumps(completion(usage=usage)))
    found, session, path = ask_once(tmp_path, odd_settings(server), budget=100.0)
    assert isinstance(found, Answer) and found.usage_estimated
    sent = len(MESSAGES[0]["content"])
    assert (
        found.prompt_tokens == round(sent / 4)
        and found.completion_tokens == len("Hello there.") / 4
    )
    assert found.cost_usd == pytest.approx(
        found.prompt_tokens * 0.001 + found.completion_tokens * 0.002
    )
    assert (session.meter.usage.estimated, session.meter.usage.cost_usd) == (1, found.cost_usd)
    con, _ = load(path)
    assert con.execute("SELECT usage_estimated, cost_usd FROM responses").fetchall() == [
        (True, found.cost_usd)
    ]


def test_usage_that_can_be_true_is_kept(server: ModelServer, tmp_path: Path) -> None:
    server.behave(body=json.dumps(completion()))
    found, session, _ = ask_once(tmp_path, odd_settings(server))
    assert (
        isinstance(found, Answer)
        and not found.usage_estimated
        and session.meter.usage.estimated == 0
    )
    assert (found.prompt_tokens, found.completion_tokens, found.cost_usd) == (
        12,
        4,
        pytest.approx(0.012 + 0.008),
    )


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"id": "x", "choices": [{"mess', "<html>busy</html>", "null", "[]", "7", '"text"'],
)
def test_a_billed_answer_that_cannot_be_read_is_charged(
    server: ModelServer, tmp_path: Path, body: str
) -> None:
    server.behave(body=body)
    found, session, path = ask_once(tmp_path, odd_settings(server))
    assert isinstance(found, CallFailed) and found.kind == "malformed"
    con, loaded = load(path)
    assert (loaded.new, loaded.unusable) == (0, 1)
    rows = con.execute("SELECT problem, cost_usd FROM unusable_answers").fetchall()
    assert rows == [("malformed", pytest.approx(session.meter.usage.cost_usd))] and rows[0][1] > 0


@pytest.mark.parametrize("encoding", ["plain", "gzip"])
@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("openai/gpt-4o-mini", "/v1"),
        ("hosted_vllm/m", "/v1"),
        ("ollama_chat/m", ""),
        ("anthropic/claude-haiku-4-5", ""),
    ],
)
def test_an_endless_answer_is_cut_off_and_paid_once(
    server: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    path: str,
    encoding: str,
) -> None:
    load_litellm()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    server.behave(endless=encoding)
    generate = odd_settings(server, model, max_retries=3, max_answer_bytes=1_000_000)
    generate = generate.model_copy(update={"api_base": server.address.removesuffix("/v1") + path})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, session, journal = ask_once(tmp_path, generate)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (
        isinstance(found, CallFailed)
        and found.kind == "oversized"
        and "max_answer_bytes (1,000,000)" in str(found)
    )
    tally = server.tally()
    assert tally["requests"] == 1  # another try would be paid for again
    # The connection was closed on it.
    assert tally["sent_bytes"] < 290_000_000 or encoding == "gzip"
    assert grown_mib < 100
    con, loaded = load(journal)
    assert loaded.unusable == 1 and session.meter.usage.unusable == 1
    assert con.execute("SELECT problem FROM unusable_answers").fetchall() == [("oversized",)]


def test_a_text_over_the_cap_in_a_small_body_is_refused(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(body=json.dumps(completion(message={"content": "y" * 1_001})))
    found, _, _ = ask_once(tmp_path, odd_settings(server, max_answer_bytes=1_000))
    assert isinstance(found, CallFailed) and found.kind == "oversized"
    server.behave(body=json.dumps(completion(message={"content": "y" * 1_000})))
    found, _, _ = ask_once(tmp_path, odd_settings(server, max_answer_bytes=1_000))
    assert isinstance(found, Answer) and len(found.text) == 1_000


@pytest.mark.parametrize("kind", [400, 500, 200])
def test_an_error_of_any_text_can_be_stored(server: ModelServer, tmp_path: Path, kind: int) -> None:
    """A failed dialogue keeps the provider's message, which may hold a lone surrogate."""
    body = json.dumps(
        {"error": {"message": f"bad {SURROGATE}\x00 words", "code": SURROGATE}}
    ).encode()
    server.behave(odd=[OddReply(kind, body=body).as_json()])
    failed, _, _ = ask_once(tmp_path, odd_settings(server))
    assert isinstance(failed, CallFailed) and str(failed).encode() and "\x00" not in str(failed)
    con, _ = load(tmp_path / "none.jsonl")
    transcript = Transcript("d1", 1, "failed", "", "", (), str(failed))
    replace_transcripts(con, [transcript], profile="p", rollout="r", run_id="run")
    assert con.execute("SELECT error FROM transcripts").fetchall() == [(str(failed),)]


@pytest.mark.parametrize(("status", "kind", "wait_s"), [(500, "overload", 0.0), (429, "rate", 0.3)])
def test_a_huge_error_page_is_cut_off_is_not_billed_and_is_tried_again(
    server: ModelServer, tmp_path: Path, status: int, kind: str, wait_s: float
) -> None:
    body = b"x" * 500_000
    server.behave(odd=[OddReply(status, body=body, headers={"Retry-After": str(wait_s)}).as_json()])
    began = time.monotonic()
    failed, session, journal = ask_once(
        tmp_path, odd_settings(server, max_retries=1, max_answer_bytes=1_000)
    )
    assert isinstance(failed, CallFailed) and (failed.kind, failed.tries) == (kind, 2)
    assert f"{status}: an error page of more than 268,144 bytes" in str(failed)
    assert (session.meter.usage.unusable, session.meter.usage.cost_usd, journal.exists()) == (
        0,
        0,
        False,
    )
    assert time.monotonic() - began >= wait_s  # its header counts although its body was not read


def test_the_longest_answer_fits_a_journal_line() -> None:
    """An answer whose line is too long to be read again would be paid for and lost."""
    (most,) = (
        bound.le
        for bound in Limits.model_fields["max_answer_bytes"].metadata
        if hasattr(bound, "le")
    )
    entry = Entry(
        made_up_answer(text="\x01" * most),
        "d",
        1,
        "r",
    )
    assert len(to_line(entry)) < MAX_LINE_BYTES


@pytest.mark.parametrize("name", [name for name in ODD_REPLIES if not ODD_REPLIES[name].endless])
def test_every_kind_of_odd_reply_is_accounted_for(
    server: ModelServer, tmp_path: Path, name: str
) -> None:
    server.behave(odd=[ODD_REPLIES[name].as_json()])
    found, session, path = ask_once(tmp_path, odd_settings(server))
    _, loaded = load(path)
    assert loaded.new == isinstance(found, Answer)
    assert loaded.new + loaded.unusable == server.billed()
    assert (loaded.quarantined, loaded.torn) == (0, 0)
    assert bool(session.meter.usage.cost_usd) == bool(server.billed())
