"""A probe finds out with at most three answers what a server can do, and builds go by it."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prefect.logging import disable_run_logger

from flows.options import BuildOptions
from flows.preflight import read_job
from flows.probing import Probed, ask_model, line_of, with_known_facts, with_known_model
from flows.stages import new_context
from tasks.llm import (
    ModelFacts,
    find_facts,
    keep_facts,
    listed_facts,
    make_request,
    with_facts_of_each,
)
from tasks.llm.model_facts import window_in, window_listed, with_facts
from tasks.settings import Generate, Home
from tests.llm.test_provider_quirks import SCHEMA
from tests.support.model_process import ModelServer, model_server
from tests.support.provider_quirks import QUIRKS

MESSAGES = ({"role": "user", "content": "u"},)


def own(server: ModelServer, **changes: Any) -> Generate:
    return Generate(model="hosted_vllm/mine", api_base=server.address, **changes)


def ask(
    server: ModelServer, folder: Path, generate: Generate | None = None, **behaviour: Any
) -> Probed:
    server.behave(**{"answers": "prose", **behaviour})
    server.reset()
    journal = folder / f"{len(list(folder.iterdir()))}.jsonl"
    return asyncio.run(ask_model(generate or own(server), journal, "run"))


@pytest.mark.parametrize(
    ("behaviour", "form", "answers"),
    [
        ({"schema": "whole"}, "json_schema", 2),
        ({"schema": "plain"}, "json_schema_plain", 2),
        ({"json_object": True}, "json_object", 3),
        ({}, "off", 3),
    ],
)
def test_the_form_of_schema_that_is_obeyed(
    server: ModelServer, tmp_path: Path, behaviour: dict[str, Any], form: str, answers: int
) -> None:
    facts = ask(server, tmp_path, **behaviour).facts
    assert (facts.structured_output, facts.answers) == (form, answers)
    assert server.tally()["billed"] == answers <= 3
    assert facts.usage and not facts.problems and facts.context_tokens is None
    resolved = with_facts(own(server), facts)
    whole = make_request(own(server, structured_output="json_schema"), MESSAGES, SCHEMA)
    sent = make_request(resolved, MESSAGES, SCHEMA)
    assert (sent == whole) == (form == "json_schema")
    assert (sent.response_format is None) == (form == "off")
    forced = with_facts(own(server, structured_output="off"), facts)
    assert make_request(forced, MESSAGES, SCHEMA).response_format is None


@pytest.mark.parametrize(
    "quirk", ["400, additionalProperties in the schema", "422, a grammar that cannot be compiled"]
)
def test_a_schema_that_is_refused_is_none(server: ModelServer, tmp_path: Path, quirk: str) -> None:
    facts = ask(server, tmp_path, odd=[QUIRKS[quirk].reply.as_json()]).facts
    assert facts.structured_output == "off" and server.tally()["billed"] <= 3


@pytest.mark.parametrize(
    ("behaviour", "window", "known_from"),
    [
        ({"window": 4096}, 4096, "tokens counted"),
        ({"window": 2048, "refuse_long": True}, 2048, "error"),
        ({"window": 16384, "list_window": True}, 16384, "server"),
        ({"window": 16384}, None, ""),
    ],
)
def test_the_context_window(
    server: ModelServer,
    tmp_path: Path,
    behaviour: dict[str, Any],
    window: int | None,
    known_from: str,
) -> None:
    facts = ask(server, tmp_path, schema="whole", **behaviour).facts
    assert (facts.context_tokens, facts.window_from) == (window, known_from)
    is_cut = known_from == "tokens counted"
    assert ("the server cut a prompt" in line_of(facts) and "num_ctx" in line_of(facts)) == is_cut
    assert with_facts(own(server), facts).limits.context_tokens == window
    chosen = own(server, limits={"context_tokens": 1024})
    assert with_facts(chosen, facts).limits.context_tokens == 1024


def test_a_cascade_goes_by_what_is_known_of_each_model() -> None:
    known = {
        "hosted_vllm/cheap": ModelFacts("json_schema", 4096, "server"),
        "hosted_vllm/strong": ModelFacts("json_object"),
    }
    generate = Generate(
        models=["hosted_vllm/cheap", "hosted_vllm/strong", "openai/gpt-4o-mini"],
        limits={"context_tokens": None},
    )
    found = with_facts_of_each(generate, lambda settings: known.get(settings.model))
    asked = [(one.structured_output, one.limits.context_tokens) for one in found.each_model()]
    assert asked == [("json_schema", 4096), ("json_object", None), ("auto", None)]
    assert found.structured_output == "auto" and found.limits == generate.limits
    own = {"model": "hosted_vllm/cheap", "structured_output": False, "context_tokens": 512}
    chosen = with_facts_of_each(
        Generate(models=[own, "hosted_vllm/strong"]), lambda settings: known.get(settings.model)
    )
    asked = [(one.structured_output, one.limits.context_tokens) for one in chosen.each_model()]
    assert asked == [("off", 512), ("json_object", None)]


def test_a_build_probes_each_model_of_its_cascade_once(server: ModelServer, tmp_path: Path) -> None:
    server.behave(answers="prose", schema="whole", window=4096)
    server.reset()
    with model_server(answers="prose", json_object=True) as other:
        models = [
            {"model": "hosted_vllm/mine", "api_base": server.address},
            {"model": "hosted_vllm/mine", "api_base": server.address},
            {"model": "hosted_vllm/other", "api_base": other.address},
        ]
        over = BuildOptions(settings={"generate": {"model": "hosted_vllm/mine", "models": models}})
        home = Home.find(tmp_path)
        job = read_job(home, "demo", over)
        context = new_context(home, job.specifications, "r", over)
        for _ in range(2):
            with disable_run_logger(), closing(context.warehouse):
                known = asyncio.run(with_known_model(context)).domain.generate
            asked = [
                (one.structured_output, one.limits.context_tokens) for one in known.each_model()
            ]
            assert asked == [("json_schema", 4096)] * 2 + [("json_object", None)]
            assert (server.billed(), other.billed()) == (2, 3)
        assert with_known_facts(home, job.specifications.domain).generate == known


def test_missing_counts_and_answers_are_said(server: ModelServer, tmp_path: Path) -> None:
    counted = ask(server, tmp_path, odd=[QUIRKS["usage of zeros"].reply.as_json()]).facts
    assert not counted.usage and "token counts missing" in line_of(counted)
    silent = ask(server, tmp_path, odd=[QUIRKS["content null"].reply.as_json()])
    assert any("empty answer" in problem for problem in silent.facts.problems)
    thinking = ask(
        server, tmp_path, odd=[QUIRKS["reasoning until max_tokens"].reply.as_json()]
    ).facts
    assert any("cut at max_tokens while reasoning" in problem for problem in thinking.problems)


def test_facts_are_kept_for_a_model_on_its_server(server: ModelServer, tmp_path: Path) -> None:
    path = tmp_path / "warehouse" / "models.json"
    facts = ModelFacts("json_object", 8192, "server", usage=True, problems=("x",), answers=2)
    assert find_facts(path, own(server)) is None
    keep_facts(path, own(server), facts)
    keep_facts(path, Generate(model="openai/x"), ModelFacts())
    assert find_facts(path, own(server)) == facts
    assert find_facts(path, own(server).model_copy(update={"model": "hosted_vllm/b"})) is None
    for broken in ("", "[]", '{"hosted_vllm/mine": 3}', "[" * 5_000):
        path.write_text(broken, "utf-8")
        assert find_facts(path, own(server)) is None
    spoilt = {f"hosted_vllm/mine {server.address}": {"structured_output": "anything"}}
    path.write_text(json.dumps(spoilt), "utf-8")
    assert find_facts(path, own(server)) is None


def test_hosted_models_are_looked_up_and_keep_their_requests() -> None:
    hosted = Generate(model="openai/gpt-4o-mini")
    facts = listed_facts(hosted)
    assert facts is not None and facts.context_tokens == 128_000
    known = with_facts(hosted, facts)
    assert make_request(known, MESSAGES, SCHEMA).key == make_request(hosted, MESSAGES, SCHEMA).key
    assert (
        listed_facts(Generate(model="openai/gpt-4o-mini", api_base="http://x.example/v1")) is None
    )
    assert listed_facts(Generate(model="hosted_vllm/mine")) is None


@pytest.mark.parametrize(
    ("message", "window"),
    [
        ("This model's maximum context length is 2048 tokens. However, you requested", 2048),
        ("the request exceeds the available context size (4096 tokens), try increasing it", 4096),
        ("Requested tokens exceed context window of 2,048", 2048),
        ('{"n_prompt_tokens": 5311, "n_ctx": 4096}', 4096),
        ("prompt is too long", None),
    ],
)
def test_windows_are_read_from_errors(message: str, window: int | None) -> None:
    assert window_in(message) == window


@pytest.mark.parametrize(
    "models",
    [None, [], {"data": 3}, {"data": [3]}, {"data": [{"id": "m", "max_model_len": "many"}]}]
    + [{"data": [{"id": "m", "max_model_len": size}]} for size in (-1, 0, 10**12, True, 1.5)]
    + [{"data": [{"id": "m", "meta": 3}]}, {"data": [{"id": "other", "max_model_len": 4096}]}],
)
def test_a_list_of_models_is_not_believed(models: Any) -> None:
    assert window_listed(models, "m") is None
    assert window_listed({"data": [{"id": "m", "meta": {"n_ctx": 4096}}]}, "m") == 4096
