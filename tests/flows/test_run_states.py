"""Budget, stop and refusal end a run in states that neither look like success nor like each other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import Flow, State
from prefect.exceptions import TerminationSignal
from prefect.results import ResultStore
from prefect.states import Crashed, Failed, exception_to_crashed_state

from flows.backfill import backfill
from flows.build import build
from flows.evaluation.client import asking
from flows.evaluation.finetune import evaluate_finetune
from flows.evaluation.quality import evaluate_quality
from flows.evaluation.recommend import evaluate_recommend
from flows.evaluation.respond import evaluate_respond
from flows.options import BuildOptions
from flows.plan import plan
from flows.project_flow import project_flow
from flows.report import report
from flows.retry import retry
from flows.run_states import BUDGET, REFUSED, STOPPED, stopped_by_person
from flows.server.ephemeral import PrivateServer
from flows.server.process_identity import FLOW_RUN_ID
from tasks.llm import RunStopped
from tasks.llm.budget import Budget
from tasks.repair import Retry
from tasks.settings import Home
from tests.support.builds_in_turn import prefect_server
from tests.support.command import redial_command
from tests.support.model_process import model_server

PRICES = (
    "--set",
    "generate.input_cost_per_token=0.001",
    "--set",
    "generate.output_cost_per_token=0.001",
)
FEW = ("--max-dialogues", "20", "--max-attempts", "1")


def test_a_first_call_that_does_not_fit_is_told_with_its_price() -> None:
    assert Budget(0.001).refusal(0.0021) == (
        "the first call would cost about $0.0021, the budget for this run is $0.001; raise it to begin"
    )
    assert (
        Budget(0.01, spent=0.009)
        .refusal(0.0021)
        .startswith("the next call (about $0.0021) would pass")
    )


SIGNALLED = (KeyboardInterrupt(), TerminationSignal(signal.SIGTERM), asyncio.CancelledError())


async def crashed(cause: BaseException, stored: bool = False) -> State[Any]:
    """Return the state of a crash as Prefect's engine makes it; the words of its message are Prefect's to change."""
    state = await exception_to_crashed_state(cause, ResultStore() if stored else None)
    return state.model_copy(update={"message": "worded otherwise"})


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("cause", SIGNALLED, ids=lambda cause: type(cause).__name__)
async def test_a_signal_at_the_command_line_is_a_stop(
    cause: BaseException, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await crashed(cause, stored)
    monkeypatch.delenv(FLOW_RUN_ID, raising=False)
    stopped = stopped_by_person(state)
    assert stopped is not None and stopped.name == STOPPED and stopped.is_cancelled()
    monkeypatch.setenv(FLOW_RUN_ID, "0000")
    assert stopped_by_person(state) is None  # its worker knows better


async def test_any_other_crash_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FLOW_RUN_ID, raising=False)
    text = "Execution was aborted by an interrupt signal."
    assert stopped_by_person(await crashed(SystemExit(1))) is None
    assert stopped_by_person(Crashed(message=text, data=RuntimeError(text))) is None
    assert stopped_by_person(Failed(message=None)) is None


@pytest.mark.parametrize(
    ("flow", "arguments"),
    [
        (build, ("nosuch",)),
        (plan, ("nosuch",)),
        (retry, ("nosuch", Retry(failed=True))),
        (report, ("nosuch",)),
        (evaluate_recommend, ("nosuch",)),
        (evaluate_quality, (["nosuch"],)),
        (evaluate_respond, ("nosuch",)),
        (evaluate_finetune, ("nosuch",)),
    ],
    ids=lambda value: value.name if isinstance(value, Flow) else "",
)
async def test_every_flow_ends_as_refused_by_a_mistake(
    flow: Flow[Any, Any], arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    state = await flow.fn(*arguments, data=str(tmp_path))
    assert isinstance(state, State)
    assert (state.name, state.is_failed()) == (REFUSED, True)
    assert "nosuch" in str(state.message)


@pytest.mark.parametrize("flow", [build, backfill, plan], ids=lambda flow: flow.name)
def test_a_flow_knows_the_types_of_its_parameters(flow: Flow[Any, Any]) -> None:
    given = {"options": {"seed": 7}, "domains": ["demo"], "domain": "demo"}
    known = {name: value for name, value in given.items() if name in flow.parameters.properties}
    assert flow.validate_parameters(known)["options"] == BuildOptions(seed=7)


async def test_an_evaluation_that_reaches_its_budget_ends_in_its_state(tmp_path: Path) -> None:
    @project_flow("budgeted")
    async def budgeted() -> None:
        async with asking(Home.find(tmp_path), "run", budget_usd=1):
            raise RunStopped("budget", "the next call would pass the budget of $1")

    state: Any = await budgeted.fn()
    assert (state.name, state.is_cancelled()) == (BUDGET, True)
    assert "what was answered is kept" in state.message


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


def start(
    api: PrivateServer, data: Path, *options: str, **environment: str
) -> subprocess.Popen[str]:
    command = redial_command(data, "build", "demo")
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*command, *options],
        env={
            **os.environ,
            **environment,
            "PREFECT_API_URL": api.api,
            "PREFECT_API_AUTH_STRING": api.login,
        },
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
    )


def ask(api: PrivateServer, what: str, question: dict[str, Any]) -> Any:
    user, _, password = api.login.partition(":")
    answer = httpx.post(f"{api.api}/{what}/filter", json=question, auth=(user, password))
    return answer.raise_for_status().json()


def last_run(api: PrivateServer) -> dict[str, Any]:
    run: dict[str, Any] = ask(api, "flow_runs", {"sort": "START_TIME_DESC", "limit": 1})[0]
    return run


def events_of(api: PrivateServer, run_id: str) -> set[str]:
    """Return the events an automation could wait for, once the server has stored them."""
    resource = {"resource": {"id": [f"prefect.flow-run.{run_id}"]}}
    for _ in range(100):
        page = ask(api, "events", {"filter": resource, "limit": 50})
        names = {event["event"].removeprefix("prefect.flow-run.") for event in page["events"]}
        if names - {"Pending", "Running", "heartbeat"}:
            return names
        time.sleep(0.1)
    return set()


ENDS = {"Completed", "Budget reached", "Refused", "Stopped"}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "code", "name", "kind", "message"),
    [
        (
            ["--budget-usd", "0.01", *PRICES],
            2,
            "Budget reached",
            "CANCELLED",
            "the first call would cost about $",
        ),
        (
            ["--budget-usd", "6", *PRICES],
            0,
            "Budget reached",
            "CANCELLED",
            "would pass the budget of $6",
        ),
        (["--set", "max_bad_share=0"], 2, "Refused", "FAILED", "max_bad_share"),
        ([], 0, "Completed", "COMPLETED", "dialogues in release"),
    ],
)
def test_a_build_ends_in_a_state_of_its_own(
    api: PrivateServer,
    tmp_path: Path,
    options: list[str],
    code: int,
    name: str,
    kind: str,
    message: str,
) -> None:
    process = start(api, tmp_path, *FEW, *options)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    run = last_run(api)
    assert (run["state_name"], run["state_type"]) == (name, kind)
    assert message in run["state"]["message"]
    assert events_of(api, run["id"]) & ENDS == {name}


@pytest.mark.heavy
def test_a_command_that_a_person_stops_is_no_crash(api: PrivateServer, tmp_path: Path) -> None:
    with model_server(latency_s=2.0, answers="mock") as server:
        model = (
            "generate.model=openai/gpt-4o-mini",
            f"generate.api_base={server.address}",
            "generate.limits.concurrency=4",
            "generate.limits.probe=false",
        )
        options = [word for setting in model for word in ("--set", setting)]
        process = start(api, tmp_path, *options, OPENAI_API_KEY="sk-stopped-0123456789")
        while server.billed() < 4:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    run = last_run(api)
    assert (run["state_name"], run["state_type"]) == ("Stopped", "CANCELLED")
