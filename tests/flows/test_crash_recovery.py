"""What crashed is started again, later each time, and given up at last, however little of it ran."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.server.api import ServerApi
from flows.server.crash_recovery import (
    DELAYS_S,
    GIVE_UP,
    LEAVE_S,
    MOST_STARTS,
    RETRY,
    CrashedRunRescheduler,
    PastState,
    Step,
    next_step,
    restarts,
)
from flows.server.orphaned_runs import STOPPED
from tests.support.served import Served, demo_like, serving
from tests.support.webhook_receiver import webhook_receiver

CRASHED = {"type": "CRASHED", "message": "lost in a test"}
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def history(*states: str | dict[str, str]) -> list[PastState]:
    """Return states a second apart, the last of them now."""
    given = [
        state if isinstance(state, dict) else {"type": state, "message": ""} for state in states
    ]
    return [
        PastState(state["type"], state["message"], NOW - timedelta(seconds=len(given) - 1 - place))
        for place, state in enumerate(given)
    ]


# Not even Running: its process died before the flow began.
FIRST = (
    "SCHEDULED",
    "PENDING",
    "CRASHED",
)
AGAIN = (RETRY, "PENDING", "CRASHED")


@pytest.mark.parametrize(
    ("states", "wanted"),
    [
        (FIRST, 0),
        ((*FIRST, *AGAIN), 1),
        ((*FIRST, *AGAIN, *AGAIN), 2),
        # `redial serve` was stopped: no fault of the run.
        (
            (*FIRST, STOPPED, "RUNNING", STOPPED, "RUNNING", "CRASHED"),
            0,
        ),
        # A person started it again.
        (
            (*FIRST, *AGAIN, *AGAIN, GIVE_UP, "SCHEDULED", "RUNNING", "CRASHED"),
            0,
        ),
    ],
)
def test_restarts_are_counted_in_the_history(states: tuple[Any, ...], wanted: int) -> None:
    assert restarts(history(*states)) == wanted
    assert restarts(history(*states)[::-1]) == wanted  # in whatever order the server tells them


@pytest.mark.parametrize(
    ("states", "after_s", "wanted"),
    [
        (FIRST, DELAYS_S[0] - 1, Step.WAIT),
        (FIRST, DELAYS_S[0], Step.RETRY),
        (FIRST, LEAVE_S, Step.WAIT),
        ((*FIRST, *AGAIN), DELAYS_S[0], Step.WAIT),
        ((*FIRST, *AGAIN), DELAYS_S[1], Step.RETRY),
        ((*FIRST, *AGAIN, *AGAIN), DELAYS_S[0] - 1, Step.WAIT),
        ((*FIRST, *AGAIN, *AGAIN), DELAYS_S[0], Step.GIVE_UP),
    ],
)
def test_each_start_comes_later(states: tuple[Any, ...], after_s: float, wanted: Step) -> None:
    assert next_step(history(*states), NOW + timedelta(seconds=after_s)) is wanted


# --- against a server


@pytest.fixture
def crashed(served: Served) -> Iterator[str]:
    """A run that has just crashed."""
    body: dict[str, Any] = {"parameters": {"domain": "held"}, "state": CRASHED}
    deployment = served.deployment("build/held")["id"]
    answer = served.client.post(f"/deployments/{deployment}/create_flow_run", json=body)
    run_id = answer.raise_for_status().json()["id"]
    yield run_id
    served.client.delete(f"/flow_runs/{run_id}").raise_for_status()


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.heavy
def test_what_crashed_is_given_to_a_worker(served: Served, crashed: str) -> None:
    """By the server itself: nothing of `redial serve` but its server and worker is needed."""
    run = served.wait(crashed, among={"COMPLETED", "FAILED"})
    assert run["state"]["name"] == "Completed", served.logs(crashed)
    assert served.states(crashed)[:2] == ["Crashed", "AwaitingRetry"]


def test_somebody_is_told_what_was_given_up(
    served: Served, crashed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has no process that could tell it."""
    rescheduler = CrashedRunRescheduler(ServerApi(served.client))
    with webhook_receiver() as (address, received):
        monkeypatch.setenv("REDIAL_NOTIFY_URL", address)
        for delay in (*DELAYS_S, DELAYS_S[0]):
            rescheduler.look(later(delay))
            body = {"state": CRASHED, "force": True}
            if served.run(crashed)["state"]["type"] != "FAILED":
                served.client.post(f"/flow_runs/{crashed}/set_state", json=body).raise_for_status()
    (told,) = received
    assert (told["flow"], told["run"], told["state"]) == (
        "build",
        served.run(crashed)["name"],
        "Given up",
    )
    assert told["text"] == f"{told['run']}: Given up. {told['message']}"


def test_what_keeps_crashing_is_given_up(served: Served, crashed: str) -> None:
    rescheduler = CrashedRunRescheduler(ServerApi(served.client))
    for delay in DELAYS_S:
        assert rescheduler.look(later(0)) == {}
        assert rescheduler.look(later(delay)) == {crashed: Step.RETRY}
        body = {"state": CRASHED, "force": True}
        served.client.post(f"/flow_runs/{crashed}/set_state", json=body).raise_for_status()
    assert rescheduler.look(later(DELAYS_S[0])) == {crashed: Step.GIVE_UP}
    assert served.run(crashed)["state"]["name"] == "Given up"


def test_a_run_of_no_deployment_is_left_alone(served: Served) -> None:
    flow = (
        served.client.post("/flows/", json={"name": "somebody-elses"})
        .raise_for_status()
        .json()["id"]
    )
    body = {"flow_id": flow, "state": CRASHED, "tags": ["redial"]}
    run_id = served.client.post("/flow_runs/", json=body).raise_for_status().json()["id"]
    assert CrashedRunRescheduler(ServerApi(served.client)).look(later(DELAYS_S[0])) == {}
    assert served.states(run_id) == ["Crashed"]


@pytest.mark.heavy
def test_a_process_that_dies_before_the_flow_begins_is_given_up_too(tmp_path: Path) -> None:
    """As with a broken installation: Python ends before Prefect has read which flow to run."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nif 'PREFECT__FLOW_RUN_ID' in os.environ:\n    os._exit(7)\n", encoding="utf-8"
    )
    data = tmp_path / "data"
    demo_like(data, "dead", title="Dead", briefs={"max_dialogues": 5})
    with serving(data, PYTHONPATH=str(tmp_path)) as served:
        run_id = served.start("build/dead", domain="dead")
        run = served.wait(run_id, among={"FAILED", "COMPLETED"})
        assert run["state"]["name"] == "Given up"
        assert run["run_count"] == 0
        assert served.states(run_id).count("Crashed") == MOST_STARTS
        limit = served.deployment("build/dead")["global_concurrency_limit"]
        assert limit["active_slots"] == 0
