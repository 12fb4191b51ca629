"""`redial evaluate` from the command line and as deployments."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from prefect.utilities.callables import parameter_schema

from flows.evaluation.setup import prepare
from flows.options import SampleOptions
from flows.server.ephemeral import PrivateServer
from tasks.release import write_release
from tasks.settings import Home
from tests.support.command import environment_with, run_redial
from tests.support.model_process import model_server
from tests.support.small_warehouse import small_warehouse

LIMITS = ("budget_usd", "concurrency", "rpm", "tpm")
PROJECT = Path(__file__).parents[2]


def test_table_5_from_the_command_line_and_again_without_a_call(
    tmp_path: Path, flow_server: PrivateServer
) -> None:
    release = write_release(small_warehouse(), Home(data=tmp_path), "demo", run={}).path
    asked = [
        "recommend",
        str(release),
        "--model",
        "popularity,markov,offline",
        "--test-share",
        "0.8",
        "--he2023",
        "--out",
        str(tmp_path / "t"),
    ]
    for told in ("calls, 0 answers from the store", "0 calls, "):
        environment = environment_with(flow_server)
        done = run_redial(tmp_path, "evaluate", *asked, environment=environment)
        assert done.returncode == 0, done.stderr
        assert told in done.stderr and "R@50" in done.stdout and "markov" in done.stdout
    table = pl.read_parquet(tmp_path / "t" / "table5.parquet")
    assert set(table["model"]) == {"popularity", "markov", "offline/writer"}
    assert set(pl.read_csv(tmp_path / "t" / "he2023.csv")["condition"]) == {
        "recommendation",
        "discussion",
        "all",
    }
    assert not list((tmp_path / "journals" / "_evaluation").iterdir())


def test_a_judge_who_cannot_be_read_is_no_finding(
    tmp_path: Path, flow_server: PrivateServer
) -> None:
    release = write_release(small_warehouse(), Home(data=tmp_path), "demo", run={}).path
    environment = {**environment_with(flow_server), "OPENAI_API_KEY": "key"}
    with model_server(answers="echo") as model:
        asked = ("--judge", "openai/mock", "--api-base", model.address, "--dialogues", "1")
        words = ("evaluate", "quality", str(release), *asked, "--out", str(tmp_path / "t"))
        done = run_redial(tmp_path, *words, environment=environment)
        lenient = run_redial(tmp_path, *words, "--least-read", "0", environment=environment)
    assert (done.returncode, lenient.returncode) == (3, 0), done.stderr
    assert "This is no finding" in done.stdout and "| - | - | - | - |" in done.stdout
    assert "| 0 of " in lenient.stdout and "This is no finding" not in lenient.stdout


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    done = run_redial(tmp_path, "evaluate", "he2023", "none.jsonl", "none.jsonl", "none.json")
    assert (
        done.returncode == 2
        and "none.json cannot be read" in done.stderr
        and "Traceback" not in done.stderr
    )


def deployments() -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))
    return {each["name"]: each for each in content["deployments"] if "evaluation" in each["tags"]}


@pytest.mark.parametrize(
    "name", ["evaluate", "evaluate-quality", "evaluate-respond", "evaluate-finetune"]
)
def test_every_evaluation_is_a_deployment_with_a_typed_form(name: str) -> None:
    deployment = deployments()[name]
    file, flow = deployment["entrypoint"].removesuffix(".py").split(".py:")
    form = parameter_schema(
        getattr(importlib.import_module(file.replace("/", ".")), flow)
    ).properties
    assert set(deployment["parameters"]) <= set(form)
    assert all(field.get("title") and field.get("description") for field in form.values())
    if name != "evaluate-finetune":
        kinds = {
            each: next(kind for kind in form[each]["anyOf"] if kind["type"] != "null")
            for each in LIMITS
        }
        assert [kinds[each].get("minimum") for each in LIMITS] == [0, 1, 1, 1]
    if name == "evaluate-respond":
        assert form["settings"]["minItems"] == 1
    if name == "evaluate-finetune":
        assert (
            form["epochs"]["anyOf"][0]["minimum"] == 1 and form["poll_s"]["exclusiveMinimum"] == 0
        )
    if name == "evaluate":
        assert (
            form["split"]["enum"] == ["user", "item", "time"]
            and form["test_share"]["exclusiveMaximum"] == 0.9
        )


def test_the_noun_of_an_item_is_used_in_the_questions(tmp_path: Path) -> None:
    talk = [{"text": "Hi, I like @5", "senderWorkerId": 0}, {"text": "See @6", "senderWorkerId": 1}]
    lines = [
        {
            "movieMentions": {"5": "Heat", "6": "Alien"},
            "messages": talk,
            "conversationId": str(number),
            "initiatorWorkerId": 0,
        }
        for number in range(20)
    ]
    path = tmp_path / "redial.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    release = write_release(small_warehouse(), Home(data=tmp_path), "demo", run={}).path

    def called(corpus: Path, noun: str | None = None) -> str:
        return prepare(
            Home(data=tmp_path), str(corpus), SampleOptions(test_share=0.6, noun=noun), None, 1
        ).benchmark.noun

    assert (called(path), called(path, "film"), called(release), called(release, "book")) == (
        "movie",
        "film",
        "movie",
        "book",
    )
    copy = shutil.copytree(release, tmp_path / "copy")
    assert called(copy) == "item"  # which domain it is of cannot be told any more
