"""`redial serve` is stopped, killed or rebooted in the middle of builds, and started again: nobody has to put anything right.

What is noted of workers and runs is that of the machine; a reboot is simulated by notes of another
boot, and by processes that are alive under the very numbers and start times of the notes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flows.server.process_identity import this_process
from flows.server.run_ownership import WORKER_LABEL
from tasks.polling import wait_until
from tests.support.model_process import ModelServer, model_server
from tests.support.served import Served, demo_like, parent, processes, serving, until

pytestmark = pytest.mark.heavy

DOMAINS = ("stopped", "killed", "rebooted", "cancelled", "pending", "alone", "lease")
ENDED = {"COMPLETED", "FAILED", "CANCELLED"}
LIMIT = ("--limit", "8")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server(answers="mock", latency_s=1.5) as running:
        yield running


@pytest.fixture(scope="module")
def data(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("restarted")
    generate = {
        "model": "openai/mock",
        "api_base": model.address,
        "chunk_size": 8,
        "limits": {"concurrency": 2, "probe": False},
    }
    for seed, name in enumerate(DOMAINS):
        demo_like(
            folder, name, title=name, seed=seed, briefs={"max_dialogues": 24}, generate=generate
        )
    return folder


@dataclass
class Restarted:
    """What is up after the last start, and the runs of before it, by domain."""

    served: Served
    runs: dict[str, str]
    states_when_killed: dict[str, str]


def in_generation(served: Served, model: ModelServer, run_id: str, answers: int = 4) -> None:
    """Wait until a run has answers; other runs may ask as well."""
    served.wait(run_id, among={"RUNNING"})
    asked = model.billed()
    until(lambda: model.billed() >= asked + answers, 180)


def kill_everything(served: Served) -> None:
    """End `redial serve` and all that it started, in whatever order, without a warning to any of it."""
    served.process.kill()
    for pid in processes(served.data):
        os.kill(pid, signal.SIGKILL)
    served.process.wait()
    assert wait_until(lambda: not processes(served.data), 20)


def note_another_boot(served: Served, run_id: str) -> None:
    """Make worker and process of a run look like those of an earlier boot, whose numbers and times a process has today."""
    before = str(replace(this_process(), boot="00000000-0000-0000-0000-000000000000"))
    served.client.patch(
        f"/flow_runs/{run_id}/labels", json={WORKER_LABEL: before}
    ).raise_for_status()
    served.client.patch(
        f"/flow_runs/{run_id}", json={"infrastructure_pid": before}
    ).raise_for_status()


def wait_until_pending(served: Served, run_id: str) -> None:
    """Wait until a run has a process that has not begun."""
    until(lambda: bool(served.run(run_id).get("infrastructure_pid")), 60)
    assert served.run(run_id)["state"]["type"] == "PENDING"


@pytest.fixture(scope="module")
def restarted(data: Path, model: ModelServer) -> Iterator[Restarted]:
    """Three starts on one data folder: the first is stopped by Ctrl-C, the second killed with everything in the middle of four runs."""
    runs: dict[str, str] = {}
    with serving(data, *LIMIT) as served:
        runs["stopped"] = served.start("build/stopped", domain="stopped")
        in_generation(served, model, runs["stopped"])
    assert not processes(data)
    with serving(data, *LIMIT) as served:
        served.wait(runs["stopped"], among=ENDED)
        for name in ("killed", "rebooted", "cancelled"):
            runs[name] = served.start(f"build/{name}", domain=name)
        for name in ("killed", "rebooted", "cancelled"):
            in_generation(served, model, runs[name], 1)
        runs["waiting"] = served.start("build/cancelled", domain="cancelled")
        until(lambda: served.run(runs["waiting"])["state"]["name"] == "AwaitingConcurrencySlot", 60)
        note_another_boot(served, runs["rebooted"])
        runs["pending"] = served.start("build/pending", domain="pending")
        wait_until_pending(served, runs["pending"])
        (worker,) = [
            pid for pid, command in processes(data).items() if "flows.server.worker" in command
        ]
        os.kill(worker, signal.SIGKILL)  # so that nobody ends the run that is cancelled
        cancelling = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
        served.client.post(
            f"/flow_runs/{runs['cancelled']}/set_state", json=cancelling
        ).raise_for_status()
        states = {name: served.run(run_id)["state"]["type"] for name, run_id in runs.items()}
        kill_everything(served)
    with serving(data, *LIMIT) as served:
        yield Restarted(served, runs, states)
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")


def ended(restarted: Restarted, name: str, state: str = "Completed") -> list[str]:
    """Wait for the end of a run of before the last start and return the names of its states."""
    served, run_id = restarted.served, restarted.runs[name]
    run = served.wait(run_id, among=ENDED)
    assert run["state"]["name"] == state, served.logs(run_id)
    return served.states(run_id)


def test_a_run_that_was_stopped_with_serve_goes_on(restarted: Restarted) -> None:
    states = ended(restarted, "stopped")
    assert states.count("AwaitingRetry") == 1
    assert states.count("Running") + states.count("Retrying") == 2


@pytest.mark.parametrize("name", ["killed", "rebooted"])
def test_a_running_run_is_taken_up_again(restarted: Restarted, name: str) -> None:
    assert restarted.states_when_killed[name] == "RUNNING"
    states = ended(restarted, name)
    assert states.count("Crashed") == 1
    assert states[states.index("Crashed") + 1] == "AwaitingRetry"


def test_a_pending_run_is_taken_up_again(restarted: Restarted) -> None:
    assert restarted.states_when_killed["pending"] == "PENDING"
    assert ended(restarted, "pending").count("Crashed") == 1


def test_a_run_that_was_being_cancelled_is_cancelled_and_its_domain_is_free(
    restarted: Restarted,
) -> None:
    assert restarted.states_when_killed["cancelled"] == "CANCELLING"
    assert ended(restarted, "cancelled", "Cancelled")[-2:] == ["Cancelling", "Cancelled"]
    ended(restarted, "waiting")


def test_a_run_without_its_worker_can_be_cancelled(
    restarted: Restarted, model: ModelServer
) -> None:
    """The worker is killed alone. The run's process goes on, and the next worker ends it."""
    served = restarted.served
    run_id = served.start("build/alone", domain="alone")
    in_generation(served, model, run_id, 1)
    process = served.pid(run_id)
    os.kill(parent(process), signal.SIGKILL)
    cancelling = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
    served.client.post(f"/flow_runs/{run_id}/set_state", json=cancelling).raise_for_status()
    assert served.wait(run_id, seconds=90, among=ENDED)["state"]["name"] == "Cancelled"
    assert process not in processes(served.data)
    again = served.start("build/alone", domain="alone")
    assert served.wait(again, among=ENDED)["state"]["name"] == "Completed", served.logs(again)


def test_a_run_keeps_its_slot_when_the_server_is_lost(
    restarted: Restarted, model: ModelServer
) -> None:
    """A run renews its slot every few minutes, and ends itself when the server knows nothing of it."""
    served = restarted.served
    run_id = served.start("build/lease", domain="lease")
    in_generation(served, model, run_id, 1)
    lease = served.run(run_id)["state"]["state_details"]["deployment_concurrency_lease_id"]
    renew = f"/v2/concurrency_limits/leases/{lease}/renew"
    served.client.post(renew, json={"lease_duration": 300}).raise_for_status()
    (server,) = [
        pid for pid, command in processes(served.data).items() if "flows.server.app" in command
    ]
    os.killpg(server, signal.SIGKILL)
    until(lambda: served.client.get("/health").status_code == 200, 60)
    assert served.client.post(renew, json={"lease_duration": 300}).is_success
    assert served.wait(run_id, among=ENDED)["state"]["name"] == "Completed", served.logs(run_id)
