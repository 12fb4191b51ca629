"""Odd replies through a whole build: client, journal, store, parser, gate, release and funnel.

Nothing raises, every billed call is in a table, and nothing that is stored is asked for twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.options import BuildOptions
from tasks.funnel import Funnel, read_funnel
from tasks.release import check_release
from tasks.settings import Home
from tests.support.model_process import ModelServer
from tests.support.odd_replies import ODD_REPLIES
from tests.support.plain_build import plain_build
from tests.support.served import demo_like

BRIEFS = 90
OPTIONS = BuildOptions(max_dialogues=BRIEFS, max_attempts=2)


@pytest.fixture
def home(tmp_path: Path, server: ModelServer) -> Home:
    """A domain whose model is the server."""
    limits = {
        "max_retries": 1,
        "timeout_s": 20,
        "concurrency": 16,
        "breaker_failures": 1000,
        "stop_after_unusable": 0,
    }
    prices = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    asked = {"model": "openai/gpt-4o-mini", "api_base": server.address, "chunk_size": BRIEFS}
    demo_like(tmp_path, "odd", generate={**asked, **prices, "limits": limits})
    return Home.find(tmp_path)


@dataclass(frozen=True)
class Found:
    """What the warehouse holds: calls by the run that asked them, and the funnel."""

    answers: dict[str, int]
    unusable: dict[str, int]
    funnel: Funnel

    def billed(self, run_id: str) -> int:
        return self.answers.get(run_id, 0) + self.unusable.get(run_id, 0)


def found(home: Home) -> Found:
    def by_run(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
        return dict(con.execute(f"SELECT run_id, count(*) FROM {table} GROUP BY ALL").fetchall())

    with duckdb.connect(str(home.warehouse("odd")), read_only=True) as con:
        return Found(by_run(con, "responses"), by_run(con, "unusable_answers"), read_funnel(con))


def check_sums(funnel: Funnel) -> None:
    assert sum(row["briefs"] for row in funnel.verdicts) == BRIEFS
    for row in funnel.attempts:
        parts = ("accepted", "rejected", "failed", "unjudged")
        assert row["asked"] == sum(row[part] for part in parts)
    assert funnel.attempts[0]["asked"] == BRIEFS


@pytest.fixture
def odd_server(server: ModelServer) -> Iterator[ModelServer]:
    odd = [reply.as_json() for reply in ODD_REPLIES.values()]
    server.behave(answers="mock", odd=odd, odd_share=0.8, seed=3)
    yield server


def test_odd_replies_end_in_the_tables_and_nothing_is_asked_twice(
    home: Home, odd_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError("the process is gone before its answers are loaded")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="gone"):
        patch.setattr("tasks.generate.driver.save_chunk", die)
        plain_build(home, "odd", OPTIONS, run_id="killed")
    billed = odd_server.billed()
    assert billed > 0 and list(home.journals("odd").glob("*.jsonl"))

    plain_build(home, "odd", OPTIONS, run_id="second")
    assert len(odd_server.tally()["odd"]) >= 40  # kinds of odd reply that were sent
    second = found(home)
    assert second.billed("killed") == billed  # recovered, every one
    assert second.billed("second") == odd_server.billed() - billed
    check_sums(second.funnel)
    assert {row["verdict"]: row["briefs"] for row in second.funnel.verdicts}["failed"] > 0

    odd_server.behave(odd=[])
    odd_server.reset()
    info = plain_build(home, "odd", OPTIONS, run_id="third")
    third = found(home)
    assert third.answers["third"] == odd_server.billed() < BRIEFS  # none of those stored
    assert "third" not in third.unusable
    check_sums(third.funnel)
    assert check_release(info.path) == []
    assert not list(home.journals("odd").rglob("*.jsonl"))
