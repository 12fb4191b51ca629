"""Batch mode against the mock server's files and batches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dialogues import read_problem
from tasks.errors import UserError
from tasks.generate import Dual, GenerateCounts, Single, Work, generate_transcripts
from tasks.llm.batch.client import BatchClient, BatchStatus, read_result
from tasks.llm.batch.token_room import TokenRoom
from tasks.llm.batch.transfer import BatchState, Member, label_of, load_states, save_state
from tasks.llm.errors import CallError
from tasks.llm.provider_reply import Reply
from tasks.prompts import render
from tasks.settings import Generate
from tests.support import made_up_briefs
from tests.support.model_process import ModelServer
from tests.support.odd_replies import ANY_JSON, OddReply
from tests.support.provider_quirks import QUIRKS

Run = Callable[..., GenerateCounts]
PATIENCE_S = 600  # for a run to end by itself, on a busy machine too


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.llm.batch.queue.QUIET_S", 0.1)
    monkeypatch.setattr("tasks.llm.batch.transfer.FIRST_POLL_S", 0.05)


@pytest.fixture
def run(server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    def generate(
        ids: list[str],
        rollout: Any = None,
        leave_when: Callable[[], bool] | None = None,
        **settings: Any,
    ) -> GenerateCounts:
        chosen = Generate(
            **{
                "model": "openai/gpt-4o-mini",
                "api_base": server.address,
                "mode": "batch",
                **settings,
            }
        )
        fetch = made_up_briefs.curated if rollout else made_up_briefs.fetch
        work = Work(ids, fetch, rollout or Single(made_up_briefs.render), "small")

        async def main() -> GenerateCounts:
            running = asyncio.create_task(
                generate_transcripts(con, work, chosen, tmp_path / "journals", "r1")
            )
            async with asyncio.timeout(PATIENCE_S):
                while leave_when and not running.done():
                    if leave_when():
                        running.cancel()
                    await asyncio.sleep(0.05)
                return await running

        return asyncio.run(main())

    return generate


def sent_in(folder: Path) -> Callable[[], bool]:
    """Return a check of whether a batch was sent and its id received: the provider works on it now."""

    def is_sent() -> bool:
        states = load_states(folder / "journals", "openai/gpt-4o-mini")
        return any(state.batch_id for state in states)

    return is_sent


def batches(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(
        con.execute("SELECT batch_id, count(*) FROM responses GROUP BY ALL ORDER BY ALL").fetchall()
    )


def test_one_batch_answers_all_at_half_the_price(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    counts = run(made_up_briefs.ids(50))
    tally = server.tally()
    assert (counts.answered, tally["billed"], tally["requests"]) == (50, 50, 0)
    assert list(batches(con).values()) == [50]
    assert counts.usage.cost_usd == pytest.approx(
        7.5e-8 * tally["prompt_tokens"] + 3e-7 * tally["completion_tokens"]
    )
    assert not list((tmp_path / "journals").iterdir())
    same_text = """
        SELECT count(*)
        FROM transcripts AS t
        JOIN responses AS r ON r.request_key = t.request_keys[1] AND r.text = t.text
    """
    assert con.execute(same_text).fetchall() == [(50,)]


def test_batch_and_live_share_keys_and_store(run: Run, server: ModelServer) -> None:
    ids = made_up_briefs.ids(30)
    run(ids[:15])
    run(ids, mode="live")
    assert server.tally()["requests"] == 15
    run(ids)
    assert server.tally()["billed"] == 30


def test_only_requests_that_failed_go_into_the_next_batch(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    server.behave(batch_fail_share=0.4)
    counts = run(made_up_briefs.ids(60))
    assert (counts.answered, counts.failed, server.tally()["billed"]) == (60, 0, 60)
    sizes = list(batches(con).values())
    assert len(sizes) > 1 and sizes[0] > sizes[1] and sum(sizes) == 60


def test_a_request_that_fails_in_every_batch_is_recorded(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    server.behave(batch_fail_share=1.0)
    counts = run(made_up_briefs.ids(5), limits={"max_retries": 1})
    assert (counts.answered, counts.failed) == (0, 5)
    assert con.execute("SELECT DISTINCT error FROM transcripts").fetchall() == [
        ("overload 500: overloaded (after 2 tries)",)
    ]


def test_an_uncollected_batch_is_collected_by_the_next_run_and_not_sent_again(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    server.behave(batch_polls=10_000)
    ids = made_up_briefs.ids(40)
    with pytest.raises(asyncio.CancelledError):
        run(ids, leave_when=sent_in(tmp_path))
    states = list((tmp_path / "journals").glob("batch-*.json"))
    assert len(states) == 1 and json.loads(states[0].read_text())["batch_id"]
    server.behave(batch_polls=0)
    counts = run(ids)
    assert counts.answered == 40 and server.tally()["billed"] == 40 and len(batches(con)) == 1
    assert not list((tmp_path / "journals").iterdir())


def test_a_batch_whose_id_was_not_received_is_found_by_its_label(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    server.behave(batch_polls=10_000)
    ids = made_up_briefs.ids(20)
    with pytest.raises(asyncio.CancelledError):
        run(ids, leave_when=sent_in(tmp_path))
    state = load_states(tmp_path / "journals", "openai/gpt-4o-mini")[0]
    save_state(tmp_path / "journals", BatchState(state.label, state.model, state.members))
    server.behave(batch_polls=0)
    assert run(ids).answered == 20 and server.tally()["billed"] == 20


def test_a_batch_that_was_never_made_is_sent(run: Run, server: ModelServer, tmp_path: Path) -> None:
    members = (Member("0" * 64, "d", 1, 0),)
    save_state(tmp_path / "journals", BatchState(label_of(members), "openai/gpt-4o-mini", members))
    assert run(made_up_briefs.ids(10)).answered == 10
    assert server.tally()["billed"] == 10 and not list((tmp_path / "journals").iterdir())


def test_dual_sends_a_batch_each_turn(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    server.behave(answers="mock")
    profile, goals = made_up_briefs.profile_and_goals()
    counts = run(made_up_briefs.ids(6), Dual(profile, goals))
    turns = [len(made_up_briefs.curated_brief(one).template.turns) for one in made_up_briefs.ids(6)]
    assert (
        counts.answered == 6
        and server.tally()["billed"] == sum(turns)
        and len(batches(con)) == max(turns)
    )


def test_a_batch_is_as_large_as_the_budget_allows(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    counts = run(made_up_briefs.ids(100), limits={"budget_usd": 0.004}, max_tokens=400)
    assert counts.stopped is not None and counts.stopped.reason == "budget"
    assert 0 < counts.answered < 100 and counts.answered + counts.unasked == 100
    assert 0.003 < counts.usage.cost_usd <= 0.004


@pytest.mark.parametrize(
    ("content", "cause"),
    [("", "empty answer"), ("Which film do you mean?", "the answer is no JSON dialogue")],
)
def test_a_batch_of_answers_of_no_use_is_not_followed_by_the_next(
    run: Run, server: ModelServer, content: str, cause: str
) -> None:
    server.behave(odd=[OddReply(fields={"message": {"content": content}}).as_json()])
    server.reset()
    ids, limits = made_up_briefs.ids(60), {"budget_usd": 0.004}  # about half of them at first
    rollout = Single(made_up_briefs.render, read_problem=partial(read_problem, "grounded"))
    counts = run(ids, rollout, limits=limits, max_tokens=400)
    assert counts.stopped is not None and counts.stopped.reason == "answers"
    assert cause in str(counts.stopped)
    assert 8 <= server.tally()["billed"] < 40
    server.behave(odd=[])
    assert run(ids, rollout, max_tokens=400).answered == 60


REFUSED = {
    "400, temperature is deprecated": ("temperature", "generate.temperature null"),
    "400, max_tokens is unsupported": ("max_tokens", "generate.extra max_completion_tokens"),
    "400, additionalProperties in the schema": ("the JSON schema", "structured_output off"),
}


@pytest.mark.parametrize("checked", [False, True], ids=["each request", "the whole file"])
@pytest.mark.parametrize("quirk", REFUSED)
def test_a_batch_that_is_refused_for_a_parameter_is_sent_again_without_it(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, quirk: str, checked: bool
) -> None:
    server.behave(odd=[QUIRKS[quirk].reply.as_json()], batch_checked=checked, answers="mock")
    server.reset()
    rollout = Single(partial(render, *made_up_briefs.profile_and_goals()))
    ids, limits = made_up_briefs.ids(6), {"breaker_failures": 3}
    counts = run(ids, rollout, limits=limits)
    assert (counts.answered, counts.failed, server.tally()["billed"]) == (6, 0, 6)
    assert len(batches(con)) == 1 and counts.stopped is None
    (adaptation,) = counts.adaptations
    what, setting = REFUSED[quirk]
    assert f"the provider refuses {what}, so" in str(adaptation) and setting in str(adaptation)
    # The refusal is seen again, and nothing is paid for twice.
    assert run(ids, rollout, limits=limits).answered == 6 and server.tally()["billed"] == 6


def test_a_parameter_that_a_model_is_known_not_to_take_is_left_out(
    run: Run, server: ModelServer
) -> None:
    counts = run(made_up_briefs.ids(3), model="openai/o1", temperature=0.7)
    assert (counts.answered, server.tally()["billed"]) == (3, 3)
    assert [found.parameter for found in counts.adaptations] == ["temperature"]
    own = {"temperature": None, "extra": {"presence_penalty": 1}}
    with pytest.raises(UserError, match="'openai/o1': it does not take a parameter .*presence_pen"):
        run(made_up_briefs.ids(3), model="openai/o1", **own)


def test_a_refusal_that_a_run_did_not_wait_for_is_adapted_to_by_the_next(
    run: Run, server: ModelServer, tmp_path: Path
) -> None:
    quirk = QUIRKS["400, temperature is deprecated"]
    server.behave(odd=[quirk.reply.as_json()], batch_polls=10_000)
    server.reset()
    ids, limits = made_up_briefs.ids(8), {"breaker_failures": 3}
    with pytest.raises(asyncio.CancelledError):
        run(ids, leave_when=sent_in(tmp_path), limits=limits)
    server.behave(batch_polls=0)
    counts = run(ids, limits=limits)
    assert (counts.answered, server.tally()["billed"]) == (8, 8)
    assert len(counts.adaptations) == 1


def test_a_provider_without_such_batches_and_a_provider_that_is_gone(run: Run) -> None:
    with pytest.raises(UserError, match="batch mode works with openai"):
        run(made_up_briefs.ids(2), model="anthropic/claude-3-haiku-20240307")
    gone = run(made_up_briefs.ids(2), api_base="http://127.0.0.1:9/v1")
    assert gone.stopped is not None and gone.stopped.reason == "batch" and gone.unasked == 2


def test_what_does_not_fit_the_enqueued_token_limit_is_split_and_queued(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    server.behave(batch_tokens=3000)
    counts = run(made_up_briefs.ids(40))
    tally = server.tally()
    assert (counts.answered, counts.failed, tally["billed"]) == (40, 0, 40)
    assert tally["faults"]["enqueued"] >= 1 and len(batches(con)) > 2
    assert counts.stopped is None and not list((tmp_path / "journals").iterdir())


def test_a_known_limit_is_kept_without_a_refusal(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    server.behave(batch_tokens=3000)
    counts = run(made_up_briefs.ids(40), limits={"batch_tokens": 2500})
    assert counts.answered == 40 and not server.tally()["faults"].get("enqueued")
    assert len(batches(con)) > 2


def test_a_limit_that_takes_no_request_at_all_ends_the_run_in_one_line(
    run: Run, server: ModelServer, tmp_path: Path
) -> None:
    server.behave(batch_tokens=5)
    ended = run(made_up_briefs.ids(3))
    assert ended.stopped is not None and ended.stopped.reason == "batch" and ended.unasked == 3
    assert "lets no more tokens wait in batches (Enqueued token limit" in str(ended.stopped)
    assert "run again when other batches of the account have ended" in str(ended.stopped)
    server.behave(batch_tokens=None)
    assert run(made_up_briefs.ids(3)).answered == 3


def test_a_completed_batch_without_a_file_is_looked_for_again(
    run: Run, server: ModelServer, tmp_path: Path
) -> None:
    server.behave(batch_fields={"output_file_id": None}, batch_polls=0)
    ids = made_up_briefs.ids(6)
    odd = run(ids)
    assert odd.stopped is not None and odd.stopped.reason == "batch" and odd.unasked == 6
    assert "is completed, but the provider names no file of its answers" in str(odd.stopped)
    assert len(list((tmp_path / "journals").glob("batch-*.json"))) == 1
    server.behave(batch_fields={})
    assert run(ids).answered == 6 and server.tally()["billed"] == 6


def test_a_completed_batch_that_answered_nothing_is_sent_again(
    run: Run, server: ModelServer
) -> None:
    server.behave(
        batch_fail_share=1.0, batch_fields={"output_file_id": None, "error_file_id": None}
    )
    ended = run(made_up_briefs.ids(3), limits={"max_retries": 1})
    assert (ended.answered, ended.failed, server.tally()["billed"]) == (0, 3, 0)


def test_a_batch_of_errors_alone_ends_the_run_with_the_providers_words(
    run: Run, server: ModelServer
) -> None:
    refusal = {"status_code": 400, "body": {"error": {"message": "no such parameter"}}}
    server.behave(batch_fail_share=1.0, batch_failure={"response": refusal, "error": None})
    with pytest.raises(UserError, match="accepted none of the 5 requests of batch batch_.*no such"):
        run(made_up_briefs.ids(5), limits={"breaker_failures": 5})
    server.behave(batch_fail_share=0.0)
    assert run(made_up_briefs.ids(5)).answered == 5


def test_what_an_expired_batch_answered_is_kept_and_the_rest_is_sent_again(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    late = {"response": None, "error": {"code": "batch_expired", "message": "not in time"}}
    server.behave(batch_ending="expired", batch_fail_share=0.5, batch_failure=late)
    counts = run(made_up_briefs.ids(30))
    assert (counts.answered, counts.failed, server.tally()["billed"]) == (30, 0, 30)
    assert len(batches(con)) > 1


def test_a_cancelled_batch_is_not_sent_again_unasked(run: Run, server: ModelServer) -> None:
    server.behave(batch_ending="cancelled", batch_fail_share=0.5)
    ids = made_up_briefs.ids(30)
    ended = run(ids)
    answered = ended.answered
    assert ended.stopped is not None and 0 < answered < 30 and ended.unasked == 30 - answered
    assert "was cancelled at the provider; what was answered is kept" in str(ended.stopped)
    server.behave(batch_ending="completed", batch_fail_share=0.0)
    assert run(ids).answered == 30 and server.tally()["billed"] == 30


def test_a_spent_credit_ends_the_run_and_keeps_what_was_answered(
    run: Run, server: ModelServer
) -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    spent = {"response": {"status_code": 429, "body": body}, "error": None}
    server.behave(batch_fail_share=0.5, batch_failure=spent)
    ids = made_up_briefs.ids(30)
    with pytest.raises(UserError, match="in batch batch_.*exceeded your current quota.*is kept"):
        run(ids)
    billed = server.tally()["billed"]
    assert 0 < billed < 30
    server.behave(batch_fail_share=0.0, batch_failure={})
    assert run(ids).answered == 30 and server.tally()["billed"] == 30


@pytest.mark.parametrize(
    ("message", "refused", "limit"),
    [
        ("Enqueued token limit reached. Limit: 2,000,000 enqueued tokens.", 3e6, 2e6),
        ("Enqueued token limit reached. Limit: 2,000,000 enqueued tokens.", 1e6, 5e5),
        ("token_limit_exceeded", 800, 400),
        ("Limit: many", 800, 400),
    ],
)
def test_a_refusal_teaches_the_limit(message: str, refused: float, limit: float) -> None:
    room = TokenRoom(None)
    assert room.fits(1e12)
    room.learn(message, refused)
    assert room.limit == limit and room.fits(limit) and not room.fits(limit + 1)
    room.take("one", limit - 1)
    assert (room.out, room.fits(1), room.fits(2)) == (1, True, False)
    room.release("one")
    assert room.fits(limit)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (
            {
                "custom_id": "k",
                "response": {"status_code": 429, "body": {"error": {"message": "slow"}}},
            },
            "overload",
        ),
        (
            {
                "custom_id": "k",
                "response": {"status_code": 400, "body": {"error": {"message": "bad"}}},
            },
            "invalid",
        ),
        (
            {
                "custom_id": "k",
                "response": None,
                "error": {"code": "batch_expired", "message": "late"},
            },
            "overload",
        ),
        (
            {"custom_id": "k", "response": {"status_code": 200, "body": {"choices": []}}},
            "malformed",
        ),
    ],
)
def test_a_failed_result_has_its_kind(line: dict[str, Any], kind: str) -> None:
    found = read_result(json.dumps(line).encode(), 1_000_000)
    assert (
        found is not None
        and found[0] == "k"
        and isinstance(found[1], CallError)
        and found[1].kind == kind
    )


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"x": 1}', b"null"])
def test_a_line_that_is_not_a_result_is_skipped(line: bytes) -> None:
    assert read_result(line, 1_000_000) is None


def test_a_foreign_state_file_is_a_user_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "journals").mkdir()
    (tmp_path / "journals" / "batch-x.json").write_text("{")
    with pytest.raises(UserError, match="not a batch's state"):
        run(made_up_briefs.ids(2))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 7},
        {"status": "\ud800"},
        {"errors": "none"},
        {"errors": {"data": [1]}},
        {"metadata": [1]},
        {"output_file_id": {"a": 1}, "status": "completed"},
        {"id": None},
        {"request_counts": "many"},
    ],
    ids=str,
)
def test_an_odd_description_of_a_batch_raises_nothing_and_loses_nothing(
    run: Run, server: ModelServer, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setattr("tasks.llm.batch.transfer.LONGEST_POLL_S", 0.05)
    server.behave(batch_fields=fields, batch_polls=0)
    ids = made_up_briefs.ids(4)
    odd = run(ids, limits={"breaker_failures": 2, "max_retries": 0})
    assert (
        odd.answered == 4
        or (odd.stopped is not None and odd.stopped.reason == "batch")
        or odd.failed == 4
    )
    server.behave(batch_fields={})
    assert run(ids).answered == 4


RESULT = st.fixed_dictionaries(
    {"custom_id": st.just("k")},
    optional={
        "error": ANY_JSON,
        "response": ANY_JSON
        | st.fixed_dictionaries(
            {"status_code": st.sampled_from([200, 429, 500, None, "200", 10**30])},
            optional={
                "body": ANY_JSON
                | st.fixed_dictionaries(
                    {"choices": ANY_JSON}, optional={"error": ANY_JSON, "usage": ANY_JSON}
                )
            },
        ),
    },
)


@settings(deadline=None)
@given(RESULT)
def test_any_result_line_is_an_answer_or_a_failure_that_can_be_stored(line: dict[str, Any]) -> None:
    found = read_result(json.dumps(line).encode(), 1_000_000)
    assert found is not None and isinstance(found[1], Reply | CallError)
    assert str(found[1]).encode() and len(str(found[1])) < 2_000_000


def test_a_reply_is_not_replaced_by_an_error_of_the_same_request(
    run: Run, server: ModelServer
) -> None:
    api = BatchClient(Generate(model="openai/gpt-4o-mini", api_base=server.address))
    good = {
        "custom_id": "k",
        "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "hi"}}]}},
    }
    bad = {"custom_id": "k", "error": {"message": "late"}}
    lines = {"one": [json.dumps(good).encode()], "two": [json.dumps(bad).encode()]}

    async def content(file_id: str, **_: Any) -> Any:
        return SimpleNamespace(content=b"\n".join(lines[file_id]))

    api._litellm = SimpleNamespace(afile_content=content)
    found = asyncio.run(api.results(BatchStatus("completed", ("one", "two"))))
    assert isinstance(found["k"], Reply) and found["k"].text == "hi"
