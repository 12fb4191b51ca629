"""A run whose crash no automation heard of is given to the next worker all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.deploying import ServerApi
from flows.outcomes import MOST_STARTS
from flows.server.crash_recovery import LEAVE_S, SecondWind
from tests.support.served import Served

CRASHED = {"type": "CRASHED", "message": "lost in a test"}


@pytest.fixture
def second_wind(served: Served) -> SecondWind:
    return SecondWind(ServerApi(served.client), take_up_s=0)


@pytest.fixture
def crashed(served: Served) -> Iterator[str]:
    """A run that crashed and that waits for nobody."""
    body: dict[str, Any] = {"parameters": {"domain": "held"}, "state": CRASHED}
    answer = served.client.post(f"/deployments/{served.deployment('build/held')['id']}/create_flow_run", json=body)
    run_id = answer.raise_for_status().json()["id"]
    yield run_id
    served.client.delete(f"/flow_runs/{run_id}").raise_for_status()


def test_what_crashed_is_given_to_a_worker(served: Served, second_wind: SecondWind, crashed: str) -> None:
    assert second_wind.look() == [crashed]
    run = served.wait(crashed, among={"COMPLETED", "FAILED"})
    assert run["state"]["name"] == "Completed", served.logs(crashed)
    assert served.states(crashed)[:2] == ["Crashed", "AwaitingRetry"]
    assert second_wind.look() == []


def test_what_crashed_just_now_is_left_to_the_automation_and_what_crashed_long_ago_to_people(served: Served, crashed: str) -> None:
    patient = SecondWind(ServerApi(served.client))
    assert patient.look() == []
    assert patient.look(datetime.now(UTC) + timedelta(seconds=LEAVE_S)) == []
    assert served.states(crashed) == ["Crashed"]


def test_what_keeps_crashing_is_given_up(served: Served, second_wind: SecondWind, crashed: str) -> None:
    for _ in range(MOST_STARTS):
        assert second_wind.look() == [crashed]
        served.client.post(f"/flow_runs/{crashed}/set_state", json={"state": CRASHED, "force": True}).raise_for_status()
    assert second_wind.look() == []


def test_a_run_of_no_deployment_is_left_alone(served: Served, second_wind: SecondWind) -> None:
    flow = served.client.post("/flows/", json={"name": "somebody-elses"}).raise_for_status().json()["id"]
    body = {"flow_id": flow, "state": CRASHED, "tags": ["redial"]}
    run_id = served.client.post("/flow_runs/", json=body).raise_for_status().json()["id"]
    assert second_wind.look() == []
    assert served.states(run_id) == ["Crashed"]
