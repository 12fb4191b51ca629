"""A cascade: a cheap model writes, what it fails at is asked of the next one."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.cascade import try_orders
from flows.cli.parameters import with_cascade
from flows.derived_inputs import source_hashes
from flows.options import BuildOptions
from flows.plan import order_rows
from flows.preflight import check_build, read_job
from flows.stages import new_context
from tasks.errors import UserError
from tasks.generate import OrderCost, Outcome, candidate_orders, cheapest, order_cost
from tasks.release import ReleaseInfo
from tasks.settings import Generate, Home
from tasks.warehouse import read_warehouse
from tests.benchmarks.cascade import CHEAP, cascade_options
from tests.support.model_process import ModelServer, model_server
from tests.support.plain_build import plain_briefs, plain_build

STRONG = "openai/gpt-4o-mini"


def options(cheap: dict[str, Any], server: ModelServer, dialogues: int = 20) -> BuildOptions:
    """Return the options of a small build in which a server's model follows a cheap one."""
    strong = {"model": STRONG, "api_base": server.address}
    return BuildOptions(
        max_dialogues=dialogues,
        settings={"generate": {"model": cheap["model"], "models": [cheap, strong]}},
    )


def released(info: ReleaseInfo) -> pl.DataFrame:
    return pl.read_parquet(info.path / "parquet" / "dialogues.parquet")


def test_repair_asks_the_next_model_and_the_release_names_who_wrote_what(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(answers="mock")
    cheap = {"model": "offline/writer", "misbehave": CHEAP}
    info = plain_build(Home.find(tmp_path), "demo", options(cheap, server))
    found = released(info).select("attempt", "model", "models_tried").to_dicts()
    first = [row for row in found if row["attempt"] == 1]
    later = [row for row in found if row["attempt"] > 1]
    assert len(found) == 20 and first and later
    assert all(row["models_tried"] == [row["model"]] == ["offline/writer"] for row in first)
    for row in later:
        assert row["model"] == STRONG
        assert row["models_tried"] == ["offline/writer"] + [STRONG] * (row["attempt"] - 1)
    assert server.tally()["billed"] == sum(row["attempt"] - 1 for row in later)
    assert "offline/writer, then openai/gpt-4o-mini" in (info.path / "README.md").read_text()


def test_what_the_first_model_gives_no_answer_to_is_asked_of_the_next(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(answers="mock")
    with model_server() as other:
        other.behave(faults={"empty": 1.0})
        cheap = {"model": "openai/gpt-4.1-nano", "api_base": other.address}
        over = options(cheap, server, dialogues=4)
        over.settings["generate"]["limits"] = {"max_retries": 0}
        info = plain_build(Home.find(tmp_path), "demo", over)
    found = released(info).select("attempt", "model", "models_tried").to_dicts()
    tried = [cheap["model"], STRONG]
    assert found == [{"attempt": 2, "model": STRONG, "models_tried": tried}] * 4
    assert server.tally()["billed"] == 4


def test_a_key_that_is_missing_for_the_second_model_is_said_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    models = ["offline/writer", "anthropic/claude-haiku-4-5"]
    over = BuildOptions(settings={"generate": {"models": models}})
    job = read_job(Home.find(tmp_path), "demo", over)
    with pytest.raises(UserError, match="claude-haiku-4-5' needs ANTHROPIC_API_KEY"):
        check_build(job.home, job.specifications.domain, over)


def test_a_budget_needs_the_price_of_every_model(server: ModelServer, tmp_path: Path) -> None:
    models = ["offline/writer", {"model": "openai/mine", "api_base": server.address}]
    over = BuildOptions(budget_usd=1, settings={"generate": {"models": models}})
    job = read_job(Home.find(tmp_path), "demo", over)
    with pytest.raises(UserError, match="price of 'openai/mine' is unknown, so a budget"):
        check_build(job.home, job.specifications.domain, over)


def test_a_sample_finds_the_cheapest_order_and_keeps_what_was_paid(tmp_path: Path) -> None:
    home, over = Home.find(tmp_path), cascade_options()
    plain_briefs(home, "demo", over)
    job = read_job(home, "demo", over)
    context = new_context(home, job.specifications, "r", over)
    with closing(context.warehouse):
        context = replace(context, sources=source_hashes(context.domain))
        costs = asyncio.run(try_orders(context, 12))
        again = asyncio.run(try_orders(context, 12))
    assert costs == again
    assert [len(cost.models) for cost in costs] == [1, 1, 2, 3]
    assert all(cost.briefs == 12 and cost.dollars is not None for cost in costs)
    best = cheapest(costs)
    assert best is not None and best is not costs[1]
    with read_warehouse(home.warehouse("demo")) as con:
        ((answers, transcripts),) = con.execute(
            "SELECT (SELECT count(*) FROM responses), (SELECT count(*) FROM transcripts)"
        ).fetchall()
    assert answers >= 24 and transcripts == 0
    assert not list(home.warehouse("demo").parent.glob(".trial-*"))
    rows = order_rows(costs)
    assert [row["cheapest"] for row in rows].count("yes") == 1


def test_a_sample_needs_two_models_with_prices(tmp_path: Path) -> None:
    home = Home.find(tmp_path)
    for models, words in (
        ([], "name two or more, the cheapest first"),
        (["offline/writer", "hosted_vllm/x"], "the price of 'hosted_vllm/x' is unknown"),
    ):
        over = BuildOptions(settings={"generate": {"models": models}})
        job = read_job(home, "demo", over)
        context = new_context(home, job.specifications, "r", over)
        with pytest.raises(UserError, match=words):
            asyncio.run(try_orders(context, 5))


def test_orders_are_each_model_alone_the_cascade_and_the_first_one_twice() -> None:
    def names(generate: Generate) -> list[list[str]]:
        return [[model.model for model in one.models] for one in candidate_orders(generate)]

    assert names(Generate(models=["a/a", "b/b"])) == [
        ["a/a"],
        ["b/b"],
        ["a/a", "b/b"],
        ["a/a", "a/a", "b/b"],
    ]
    assert names(Generate(models=["a/a", "b/b"], max_attempts=2)) == [
        ["a/a"],
        ["b/b"],
        ["a/a", "b/b"],
    ]


def test_a_cost_is_of_accepted_dialogues_with_an_interval() -> None:
    order = candidate_orders(Generate(models=["a/a", "b/b"]))[0]
    found = [Outcome(1.0, True), Outcome(2.0, True), Outcome(3.0, False), Outcome(2.0, True)]
    cost = order_cost(order, found)
    assert cost.dollars is not None and cost.dollars.value == pytest.approx(8 / 3)
    assert cost.dollars.low < 8 / 3 < cost.dollars.high
    assert cost.accepted.value == 0.75 and cost.briefs == 4
    none = order_cost(order, [Outcome(1.0, False)])
    assert none.dollars is None and cheapest([none, cost]) is cost and cheapest([none]) is None
    assert isinstance(cost, OrderCost)


def test_models_of_the_command_line_take_the_place_of_the_domains(tmp_path: Path) -> None:
    given = BuildOptions(rpm=5, settings={"generate": {"temperature": 0.1}})
    over = with_cascade(given, ["openai/a", "openai/b"])
    assert over.over() == {
        "generate": {
            "temperature": 0.1,
            "model": "openai/a",
            "models": ["openai/a", "openai/b"],
            "limits": {"rpm": 5},
        }
    }
    job = read_job(Home.find(tmp_path), "demo", over)
    assert job.specifications.domain.generate.named_models == "openai/a, then openai/b"
