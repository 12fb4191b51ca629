"""What is killed in the middle of generation: a run, its worker, the server.

Nothing is asked twice, the release stays the same.

Every domain here has the demo's reviews and a seed of its own, and is written by a mock model that
takes its time.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.settings.paths import PROJECT
from tests.support.command import environment_without, redial_command
from tests.support.model_process import ModelServer, model_server
from tests.support.served import KEY, Served, demo_like, parent, processes, released, serving, until

pytestmark = pytest.mark.heavy

PARTS = ("part1", "part2", "part3", "part4")
DOMAINS = ("run", "worker", "server", "start", *PARTS)
BRIEFS, IN_FLIGHT, LATENCY_S = 24, 3, 1.0
# CRASHED is no end: the run is given to the next free worker.
STARTED_ANEW = (
    "COMPLETED",
    "FAILED",
)


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server(answers="mock") as running:
        yield running


def put_domains(data: Path, model: ModelServer) -> None:
    generate = {
        "model": "openai/mock",
        "api_base": model.address,
        "chunk_size": 8,
        "limits": {"concurrency": IN_FLIGHT, "probe": False},
    }
    for seed, name in enumerate(DOMAINS):
        demo_like(
            data, name, title=name, seed=seed, briefs={"max_dialogues": BRIEFS}, generate=generate
        )


@pytest.fixture(scope="module")
def building(
    model: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A command that builds every domain in a data folder of its own, where nothing is killed."""
    data = tmp_path_factory.mktemp("undisturbed")
    put_domains(data, model)
    kept = environment_without("PREFECT_")
    command = redial_command(data, "backfill", *DOMAINS)
    environment = {**kept, "OPENAI_API_KEY": KEY}
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield data, running
        running.kill()


@pytest.fixture(scope="module")
def two_workers(
    building: object, model: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("killed")
    put_domains(data, model)
    with serving(data, "--workers", "2", "--limit", "3") as running:
        yield running
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")


@pytest.fixture(scope="module")
def undisturbed(two_workers: Served, building: tuple[Path, subprocess.Popen[str]]) -> Path:
    """The data folder in which every domain was built and nothing was killed."""
    data, running = building
    _, told = running.communicate(timeout=400)
    assert running.returncode == 0, told
    return data


@pytest.fixture
def served(two_workers: Served, undisturbed: Path, model: ModelServer) -> Served:
    model.behave(latency_s=LATENCY_S)
    model.reset()
    return two_workers


def answered(model: ModelServer, number: int) -> None:
    until(
        lambda: model.billed() >= number,
        180,
        lambda: f"{model.billed()} of {number} answers were asked for",
    )


def as_if_nothing_had_been(
    served: Served, model: ModelServer, undisturbed: Path, domains: tuple[str, ...], kills: int
) -> None:
    """Hold the bill, the store, the journals and the release of some domains against an undisturbed build."""
    stored = 0
    for domain in domains:
        with duckdb.connect(
            str(served.data / "warehouse" / f"{domain}.duckdb"), read_only=True
        ) as con:
            asked, different = con.execute(
                "SELECT count(*), count(DISTINCT request_key) FROM responses"
            ).fetchall()[0]
        assert asked == different >= BRIEFS
        stored += asked
        assert not list((served.data / "journals" / domain).glob("*.jsonl"))
        assert released(served.data, domain) == released(undisturbed, domain) != {}
    tally = model.tally()
    assert len(tally["billed_keys"]) == stored
    assert stored <= tally["billed"] <= stored + kills * IN_FLIGHT


def worker_of(served: Served, run_id: str) -> int:
    """Return the worker process that started a run."""
    worker = parent(served.pid(run_id))
    assert "flows.server.worker" in processes(served.data)[worker]
    return worker


def all_running(served: Served, backfill: str) -> set[str]:
    """Wait until every part of a backfill is being built; return the runs."""

    def there() -> bool:
        return all(
            any(run["state"]["name"] == "Running" for run in served.runs_of(part)) for part in PARTS
        )

    def told() -> str:
        states = {
            part: [served.states(run["id"]) for run in served.runs_of(part)] for part in PARTS
        }
        return f"{states}; the backfill: {served.states(backfill)}\n{served.logs(backfill)}"

    until(there, 240, told)
    return {run["id"] for part in PARTS for run in served.runs_of(part)}


def runs_under(served: Served, worker: int) -> list[int]:
    return [pid for pid in processes(served.data) if pid != worker and parent(pid) == worker]


def test_a_lost_run_is_taken_up(served: Served, model: ModelServer, undisturbed: Path) -> None:
    run_id = served.start("build/run", domain="run")
    answered(model, 8)
    os.kill(served.pid(run_id), signal.SIGKILL)
    run = served.wait(run_id, among={*STARTED_ANEW})
    assert run["state"]["name"] == "Completed", served.logs(run_id)
    assert run["run_count"] == 2
    assert "Crashed" in served.states(run_id)
    as_if_nothing_had_been(served, model, undisturbed, ("run",), kills=1)


def test_a_run_goes_on_without_its_worker(
    served: Served, model: ModelServer, undisturbed: Path
) -> None:
    run_id = served.start("build/worker", domain="worker")
    answered(model, 8)
    os.kill(worker_of(served, run_id), signal.SIGKILL)
    run = served.wait(run_id, among={*STARTED_ANEW})
    assert run["state"]["name"] == "Completed", served.logs(run_id)
    assert run["run_count"] == 1
    as_if_nothing_had_been(served, model, undisturbed, ("worker",), kills=0)


def test_the_server_is_lost(served: Served, model: ModelServer, undisturbed: Path) -> None:
    run_id = served.start("build/server", domain="server")
    answered(model, 8)
    (server,) = [
        pid for pid, command in processes(served.data).items() if "flows.server.app" in command
    ]
    os.killpg(server, signal.SIGKILL)
    run = served.wait(run_id, among={*STARTED_ANEW})
    assert run["state"]["name"] == "Completed", served.logs(run_id)
    as_if_nothing_had_been(served, model, undisturbed, ("server",), kills=run["run_count"] - 1)


@pytest.fixture
def soon_noticed(served: Served) -> Iterator[None]:
    """A start that was lost is noticed after 40 seconds in place of the five minutes that are shipped."""
    (shipped,) = served.client.post(
        "/automations/filter", json={"automations": {"name": {"any_": ["redial lost starts"]}}}
    ).json()

    def put(trigger: dict[str, object]) -> None:
        body = {
            **{name: shipped[name] for name in ("name", "description", "enabled", "actions")},
            "trigger": trigger,
        }
        served.client.put(f"/automations/{shipped['id']}", json=body).raise_for_status()

    put({**shipped["trigger"], "within": 40})
    yield
    put(shipped["trigger"])


@pytest.mark.usefixtures("soon_noticed")
def test_a_run_is_lost_before_it_began(
    served: Served, model: ModelServer, undisturbed: Path
) -> None:
    """Its worker and its process go while the process still imports."""
    run_id = served.start("build/start", domain="start")
    pid = served.pid(run_id)
    for one in (parent(pid), pid):
        os.kill(one, signal.SIGKILL)
    assert served.run(run_id)["state"]["type"] == "PENDING"
    run = served.wait(run_id, among={*STARTED_ANEW})
    assert run["state"]["name"] == "Completed", served.logs(run_id)
    assert "Crashed" in served.states(run_id)
    as_if_nothing_had_been(served, model, undisturbed, ("start",), kills=0)


def test_two_workers_share_a_backfill_and_one_machine_is_lost(
    served: Served, model: ModelServer, undisturbed: Path
) -> None:
    """The worker that also holds the backfill itself goes, with every run it has, as a machine does: nobody gets a message."""
    model.behave(latency_s=2 * LATENCY_S)
    backfill = served.start("backfill/backfill", domains=list(PARTS), at_once=4)
    builds = all_running(served, backfill)
    answered(model, 20)
    worker = worker_of(served, backfill)
    lost = runs_under(served, worker)
    assert 2 <= len(lost) < 1 + len(PARTS), "the domains were not shared"
    for pid in (worker, *lost):
        os.kill(pid, signal.SIGKILL)
    run = served.wait(backfill, seconds=300, among={*STARTED_ANEW})
    assert run["state"]["name"] == "Completed", served.logs(backfill)
    assert run["run_count"] == 2
    ended = [build for part in PARTS for build in served.runs_of(part)]
    assert {build["id"] for build in ended} == builds
    assert {build["state"]["name"] for build in ended} == {"Completed"}
    assert sorted(build["run_count"] for build in ended) == sorted(
        [2] * (len(lost) - 1) + [1] * (len(PARTS) - len(lost) + 1)
    )
    as_if_nothing_had_been(served, model, undisturbed, PARTS, kills=len(lost) - 1)
