"""Answers that are outdated are asked for again: the new ones replace them, the bill keeps both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tasks.generate import (
    Chunk,
    Dual,
    GenerateCounts,
    Single,
    Work,
    first_unpaid,
    generate_transcripts,
    make_job,
    spent,
)
from tasks.llm import KeyIndex, answers_by_key, outdate_answers
from tasks.repair import unanswered
from tasks.settings import Generate
from tests.support import made_up_briefs
from tests.support.model_process import ModelServer

Run = Callable[..., GenerateCounts]
IDS = made_up_briefs.ids(6)


@pytest.fixture
def run(server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    """Generate what is unanswered of some briefs."""

    def generate(rollout: Any, run_id: str, **settings: Any) -> GenerateCounts:
        chosen = Generate(model="openai/gpt-4o-mini", api_base=server.address, **settings)
        ids = unanswered(con, 1, IDS)
        work = Work(ids, made_up_briefs.curated, rollout, "grounded")
        return asyncio.run(generate_transcripts(con, work, chosen, tmp_path / "journals", run_id))

    return generate


def rollouts() -> dict[str, Any]:
    profile, goals = made_up_briefs.profile_and_goals()
    return {"single": Single(made_up_briefs.render), "dual": Dual(profile, goals)}


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return [row[0] for row in con.execute(query).fetchall()]


@pytest.mark.parametrize("name", ["single", "dual"])
def test_outdated_answers_are_asked_again_and_stay_on_the_bill(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, name: str
) -> None:
    rollout = rollouts()[name]
    run(rollout, "first")
    paid = server.billed()
    before = sum(rows(con, "SELECT cost_usd FROM responses"))
    assert run(rollout, "second").usage.sent == 0  # all of it is stored
    assert outdate_answers(con, IDS[:2]) == len(
        rows(con, f"SELECT 1 FROM responses WHERE dialogue_id IN ('{IDS[0]}', '{IDS[1]}')")
    )
    assert unanswered(con, 1, IDS) == IDS[:2]
    # What they came to stays until there is something new.
    assert len(rows(con, "SELECT 1 FROM transcripts WHERE status = 'answered'")) == len(IDS)
    server.behave(seed=99)  # other texts
    counts = run(rollout, "third")
    assert counts.answered == 2 and counts.usage.sent == server.billed() - paid > 0
    assert unanswered(con, 1, IDS) == []
    used = "SELECT unnest(request_keys) FROM transcripts"
    keys = set(rows(con, used))
    new = set(rows(con, "SELECT request_key FROM responses WHERE run_id = 'third'"))
    assert len(new & keys) == counts.usage.sent
    assert not keys & set(rows(con, "SELECT request_key FROM responses WHERE outdated"))
    replaced = rows(con, "SELECT problem FROM unusable_answers")
    assert set(replaced) == {"replaced"}
    assert spent(con, "first", "run") == pytest.approx(before)
    bill = "SELECT cost_usd FROM responses UNION ALL SELECT cost_usd FROM unusable_answers"
    assert len(rows(con, bill)) == server.billed()
    assert run(rollout, "fourth").usage.sent == 0


def test_a_run_that_is_killed_asks_only_for_what_has_no_new_answer(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError("the process is gone before its answers are loaded")

    rollout = rollouts()["single"]
    run(rollout, "first")
    outdate_answers(con, IDS)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="gone"):
        patch.setattr("tasks.generate.driver.save_chunk", die)
        run(rollout, "killed")
    assert server.billed() == 2 * len(IDS)
    assert run(rollout, "again").answered == len(IDS)
    assert server.billed() == 2 * len(IDS)  # found in the journal
    assert set(rows(con, "SELECT run_id FROM responses")) == {"killed"}
    assert not rows(con, "SELECT 1 FROM responses WHERE outdated")


def test_no_cache_gives_an_outdated_answer(
    run: Run, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rollout = rollouts()["single"]
    run(rollout, "first")
    outdate_answers(con, IDS)
    keys = rows(con, "SELECT request_key FROM responses")
    assert answers_by_key(con, keys) == {}
    assert all(key in KeyIndex.of_store(con) for key in keys)  # to be looked up, and not found
    chunk = Chunk(1, tuple(made_up_briefs.curated(IDS)), tmp_path / "c.jsonl")
    assert make_job(con, chunk, rollout, Generate(), "r").stored == {}


def test_the_same_answer_loaded_again_is_no_new_one(
    run: Run, con: duckdb.DuckDBPyConnection
) -> None:
    from tasks.llm.journal import Entry
    from tasks.llm.response_table import insert_answers

    run(rollouts()["single"], "first")
    stored = answers_by_key(con, rows(con, "SELECT request_key FROM responses"))
    outdate_answers(con, IDS)
    entries = [Entry(answer, IDS[0], 1, "first") for answer in stored.values()]
    assert insert_answers(con, entries) == 0
    assert len(unanswered(con, 1, IDS)) == len(IDS)


def test_stored_answers_of_a_cascades_first_model_need_not_be_paid(
    server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """They are stored under the endpoint that the model has of its own."""
    first = {"model": "openai/gpt-4o-mini", "api_base": server.address}
    cascade = Generate.model_validate({"models": [first, "openai/gpt-4o"]})
    work = Work(IDS, made_up_briefs.curated, rollouts()["single"], "grounded")
    assert asyncio.run(first_unpaid(con, work, cascade, 4)) == IDS[:4]
    settings = cascade.at_attempt(1)
    asyncio.run(generate_transcripts(con, work, settings, tmp_path / "journals", "first"))
    assert asyncio.run(first_unpaid(con, work, cascade, 4)) == []
