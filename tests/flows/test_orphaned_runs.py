"""Runs that the server calls active and that some other machine has, or had."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from flows.server.api import ServerApi
from flows.server.orphaned_runs import OrphanedRuns
from flows.server.process_identity import this_process
from flows.server.run_ownership import UNHEARD_S, WORKER_LABEL, Action
from tests.support.served import Served

ELSEWHERE = replace(this_process(), host="another-machine")
Make = Callable[..., str]


@pytest.fixture
def make_run(served: Served) -> Iterator[Make]:
    """Return a function that puts a run on the pool as a worker had left it.

    It is deleted afterwards.
    """
    made: list[str] = []

    def make(state: str, **labels: str) -> str:
        deployment = served.deployment("build/held")["id"]
        # Scheduled for a day on which no worker looks for it.
        body: dict[str, Any] = {"parameters": {"domain": "held"}, "labels": labels}
        body["state"] = {
            "type": "SCHEDULED",
            "state_details": {"scheduled_time": "2999-01-01T00:00:00Z"},
        }
        answer = served.client.post(f"/deployments/{deployment}/create_flow_run", json=body)
        made.append(answer.raise_for_status().json()["id"])
        served.client.patch(f"/flow_runs/{made[-1]}/labels", json=labels).raise_for_status()
        for step in ("RUNNING", state) if state == "CANCELLING" else (state,):
            changed = {"state": {"type": step, "name": step.capitalize()}, "force": True}
            served.client.post(f"/flow_runs/{made[-1]}/set_state", json=changed).raise_for_status()
        return made[-1]

    yield make
    for run_id in made:
        served.client.delete(f"/flow_runs/{run_id}").raise_for_status()


@pytest.fixture
def orphaned(served: Served) -> OrphanedRuns:
    return OrphanedRuns(ServerApi(served.client))


def looked(orphaned: OrphanedRuns, run_id: str, after_s: float = 0.0) -> Action | None:
    """Look as so many seconds from now and return what was done about a run."""
    return orphaned.look(time.monotonic() + after_s).get(run_id)


@pytest.mark.parametrize("label", [str(ELSEWHERE), "4711", ""], ids=["elsewhere", "number", "none"])
@pytest.mark.parametrize(
    ("state", "wanted"),
    [("RUNNING", Action.CRASH), ("PENDING", Action.CRASH), ("CANCELLING", Action.CANCEL)],
)
def test_of_a_machine_that_nobody_hears_of(
    orphaned: OrphanedRuns, make_run: Make, label: str, state: str, wanted: Action
) -> None:
    """Or of a worker that notes nothing, such as Prefect's own."""
    run_id = make_run(state, **{WORKER_LABEL: label, "prefect.worker.name": "gone"})
    assert looked(orphaned, run_id) is None
    assert looked(orphaned, run_id, UNHEARD_S - 10) is None
    assert looked(orphaned, run_id, UNHEARD_S) is wanted


def test_a_machine_whose_worker_is_alive_keeps_its_runs(
    orphaned: OrphanedRuns, make_run: Make
) -> None:
    # Which is online.
    run_id = make_run(
        "RUNNING", **{WORKER_LABEL: str(ELSEWHERE), "prefect.worker.name": "redial-1"}
    )
    assert [looked(orphaned, run_id, after_s) for after_s in (0, UNHEARD_S * 2)] == [None, None]


def test_a_run_whose_heart_beats_is_kept_without_its_worker(
    served: Served, orphaned: OrphanedRuns, make_run: Make
) -> None:
    run_id = make_run("RUNNING", **{WORKER_LABEL: str(ELSEWHERE), "prefect.worker.name": "gone"})
    assert looked(orphaned, run_id) is None
    event = {
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run_id}"},
        "id": "0193b7c4-0000-7000-8000-000000000001",
    }
    served.client.post("/events", json=[event]).raise_for_status()
    wanted = {
        "filter": {
            "resource": {"id": [f"prefect.flow-run.{run_id}"]},
            "event": {"name": [event["event"]]},
        }
    }
    deadline = time.monotonic() + 30
    while not served.client.post("/events/filter", json=wanted).json()["events"]:
        assert time.monotonic() < deadline, "the event was not stored"
        time.sleep(0.2)
    assert looked(orphaned, run_id, UNHEARD_S) is None


def test_a_server_that_was_away_has_heard_of_nobody(orphaned: OrphanedRuns, make_run: Make) -> None:
    run_id = make_run("RUNNING", **{WORKER_LABEL: str(ELSEWHERE), "prefect.worker.name": "gone"})
    assert looked(orphaned, run_id) is None
    at_home = orphaned.api
    orphaned.api = ServerApi.at("http://127.0.0.1:9/api")
    with pytest.raises(httpx.ConnectError):
        orphaned.look()
    orphaned.api = at_home
    assert looked(orphaned, run_id, UNHEARD_S) is None


def test_a_run_of_a_worker_that_lives_here_is_its_own_affair(
    orphaned: OrphanedRuns, make_run: Make
) -> None:
    run_id = make_run("RUNNING", **{WORKER_LABEL: str(this_process())})
    assert looked(orphaned, run_id, UNHEARD_S * 2) is None
    assert run_id in orphaned.active_here()
    orphaned.stop([run_id])  # of a worker that somebody else started: it is not ours to stop
    assert looked(orphaned, run_id, UNHEARD_S * 2) is None


def test_a_run_of_a_worker_that_died_here_is_marked_at_once(
    served: Served, orphaned: OrphanedRuns, make_run: Make
) -> None:
    """By the worker of `redial serve`, or by us, whoever looks first."""
    # This process has its number now.
    died = replace(this_process(), started=this_process().started + 1)
    run_id = make_run("RUNNING", **{WORKER_LABEL: str(died)})
    orphaned.look()
    assert served.states(run_id)[-1] == "Crashed"
    assert os.getpid() == died.pid


def test_runs_that_are_stopped_go_on_later(
    served: Served, orphaned: OrphanedRuns, make_run: Make
) -> None:
    # Nobody else looks after runs of that name.
    died = str(replace(this_process(), host="stopped-machine"))
    ours = OrphanedRuns(orphaned.api, host="stopped-machine")
    running, cancelling, gone = (
        make_run(state, **{WORKER_LABEL: died}) for state in ("RUNNING", "CANCELLING", "RUNNING")
    )
    assert {running, cancelling} <= set(ours.active_here())
    ours.stop([running, cancelling, "00000000-0000-0000-0000-000000000000"])
    assert served.states(running)[-1] == "AwaitingRetry"
    assert served.states(cancelling)[-1] == "Cancelled"
    assert served.states(gone)[-1] == "Running"
