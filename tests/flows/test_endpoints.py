"""A run that came through a server sends the worker's keys and its pickled work to no address that the worker's machine does not name."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.evaluation.models import model_settings
from flows.options import BuildOptions
from flows.preflight import check_build
from flows.server.endpoints import (
    API_BASES,
    KEYLESS,
    SCHEDULERS,
    check_endpoint,
    check_scheduler,
    started_by_server,
)
from tasks.errors import UserError
from tasks.settings import Home, load_domain
from tests.support.served import demo_like

OURS, THEIRS = "https://llm.example.org/v1", "https://evil.test/v1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A worker's data folder, in a process that a worker started for a run."""
    demo_like(tmp_path, "own", title="own", generate={"model": "openai/mock", "api_base": OURS})
    monkeypatch.setenv("REDIAL_DATA", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-marker-key")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "00000000-0000-0000-0000-000000000000")
    monkeypatch.delenv(API_BASES, raising=False)
    monkeypatch.delenv(SCHEDULERS, raising=False)
    for variable in KEYLESS.values():
        monkeypatch.delenv(variable, raising=False)
    assert started_by_server()
    return Home.find(None)


def check(home: Home, **chosen: object) -> None:
    options = BuildOptions.model_validate(chosen)
    check_build(home, load_domain(home, "own", options.over()), options)


@pytest.mark.parametrize(
    "chosen",
    [
        {"api_base": THEIRS},
        {"settings": {"generate": {"api_base": THEIRS}}},
        {"model": "anthropic/claude-haiku-4-5", "api_base": THEIRS},
        {"api_base": "http://127.0.0.1:8000/v1"},  # openai/... sends its key to loopback as well
        {"api_base": OURS + "/../../elsewhere"},
        {"api_base": OURS + "@evil.test"},
        {"model": "huggingface/https://evil.test/x", "api_base": None},
        {"settings": {"generate": {"journals": "s3://theirs/journals"}}},
    ],
    ids=str,
)
def test_an_endpoint_of_the_run_is_refused(home: Home, chosen: dict[str, object]) -> None:
    with pytest.raises(UserError) as refused:
        check(home, **chosen)
    assert len(str(refused.value).splitlines()) == 1
    assert "domain file" in str(refused.value)


def test_the_domain_file_s_endpoint_is_taken(home: Home) -> None:
    check(home)
    check(home, api_base=OURS + "/", model="openai/other")


def test_the_domain_file_s_store_of_journals_is_taken(home: Home) -> None:
    ours = {"model": "openai/mock", "api_base": OURS, "journals": "s3://ours/journals"}
    demo_like(home.data, "own", title="own", generate=ours)
    check(home)
    with pytest.raises(UserError, match="s3://theirs came with the run"):
        check(home, settings={"generate": {"journals": "s3://theirs"}})


def test_a_data_folder_of_the_run_s_own_names_no_endpoint(home: Home, tmp_path: Path) -> None:
    theirs = Home(data=tmp_path / "theirs")
    demo_like(
        theirs.data, "own", title="own", generate={"model": "openai/mock", "api_base": THEIRS}
    )
    with pytest.raises(UserError, match="came with the run"):
        check(theirs)


def test_an_endpoint_of_the_worker_s_environment_is_taken(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(API_BASES, f"https://other.example.org/v1, {THEIRS}")
    check(home, api_base=THEIRS)
    model_settings("openai/mock", THEIRS, None, 0.0)


@pytest.mark.parametrize("model", ["hosted_vllm/x", "ollama/x", "ollama_chat/x"])
def test_a_server_on_this_machine_is_taken_while_no_key_is_sent(
    home: Home, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    check_endpoint(model, "http://127.0.0.1:11434")
    with pytest.raises(UserError):
        check_endpoint(model, "http://127.0.0.1.evil.test:11434")
    monkeypatch.setenv(KEYLESS[model.partition("/")[0]], "sk-a-marker-key")
    with pytest.raises(UserError):
        check_endpoint(model, "http://127.0.0.1:11434")


@pytest.mark.usefixtures("home")
def test_evaluations_are_refused_likewise() -> None:
    with pytest.raises(UserError, match=API_BASES):
        model_settings("openai/mock", THEIRS, None, 0.0)


@pytest.mark.usefixtures("home")
def test_a_dask_cluster_of_the_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_scheduler(None)
    check_scheduler("local:2")
    with pytest.raises(UserError, match=SCHEDULERS):
        check_scheduler("tcp://evil.test:8786")
    monkeypatch.setenv(SCHEDULERS, "tcp://ours:8786")
    check_scheduler("tcp://ours:8786")


def test_a_command_s_own_user_chooses_freely(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT__FLOW_RUN_ID")
    check(home, api_base=THEIRS)
    model_settings("openai/mock", THEIRS, None, 0.0)
    check_scheduler("tcp://anywhere:8786")
