"""A worker of `redial serve` runs the project's flows and nothing else, even for somebody who has the login."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.server.pool import load_template
from flows.server.worker import FLOWS, FixedConfiguration, find_entrypoint
from tasks.errors import UserError
from tasks.settings.paths import PROJECT
from tests.support.model_process import ModelServer, model_server
from tests.support.served import Served, demo_like, processes, serving, until


def test_every_deployment_s_flow_is_known_by_its_own_name() -> None:
    shipped = yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert {each["entrypoint"] for each in shipped} == set(FLOWS.values())
    assert not any("job_variables" in each["work_pool"] for each in shipped)
    for name, entrypoint in FLOWS.items():
        file, _, function = entrypoint.partition(":")
        assert (
            getattr(import_module(file.removesuffix(".py").replace("/", ".")), function).name
            == name
        )
        assert find_entrypoint(name) == f"{PROJECT}/{entrypoint}"


@pytest.mark.parametrize("name", ["", "Build", "theirs", "build/../x", "/tmp/theirs.py:build"])
def test_no_other_flow_is_run(name: str) -> None:
    with pytest.raises(UserError, match="runs no flow"):
        find_entrypoint(name)


@pytest.mark.parametrize(
    "template",
    [{}, {"job_configuration": {"command": "{{ command }}", "env": "{{ env }}"}, "variables": {}}],
)
async def test_a_run_s_process_is_started_as_this_machine_says(template: dict[str, Any]) -> None:
    theirs = {
        "command": "touch /tmp/x",
        "env": {"PYTHONPATH": "/tmp", "LD_PRELOAD": "/tmp/x.so"},
        "working_dir": "/tmp",
    }
    made = await FixedConfiguration.from_template_and_values(
        template, {**theirs, "env.PYTHONSTARTUP": "/tmp/x.py"}
    )
    assert (made.command, made.env, made.working_dir) == (
        None,
        load_template()["job_configuration"]["env"],
        PROJECT,
    )


# --- against a server, with its login


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server(answers="mock", latency_s=2.0) as running:
        yield running


@pytest.fixture(scope="module")
def running(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("locked")
    generate = {
        "model": "openai/mock",
        "api_base": model.address,
        "limits": {"concurrency": 1, "probe": False},
    }
    for name in ("steps", "entry", "pool", "own"):
        demo_like(data, name, title=name, briefs={"max_dialogues": 10})
    demo_like(data, "slow", title="slow", briefs={"max_dialogues": 30}, generate=generate)
    with serving(data) as served:
        yield served
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")


def change(served: Served, deployment: str, **changes: Any) -> None:
    served.client.patch(
        f"/deployments/{served.deployment(deployment)['id']}", json=changes
    ).raise_for_status()


def shell(marker: Path) -> list[dict[str, Any]]:
    return [{"prefect.deployments.steps.run_shell_script": {"script": f"touch {marker}"}}]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "variables",
    [
        {"command": "touch x"},
        {"env": {"PYTHONPATH": "/tmp"}},
        {"env.PYTHONPATH": "/tmp"},
        {"working_dir": "/tmp"},
    ],
)
def test_job_variables_are_refused(running: Served, variables: dict[str, Any]) -> None:
    start = f"/deployments/{running.deployment('build/own')['id']}/create_flow_run"
    scheduled = {"state": {"type": "SCHEDULED"}}
    assert (
        running.client.post(start, json={"job_variables": variables, **scheduled}).status_code
        == 422
    )
    # Prefect stores them unchecked, and refuses each run.
    change(running, "build/own", job_variables=variables)
    assert running.client.post(start, json=scheduled).status_code == 422
    change(running, "build/own", job_variables={})


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["option", "setting"])
def test_no_key_is_sent_to_an_endpoint_that_came_with_the_run(
    running: Served, model: ModelServer, how: str
) -> None:
    model.reset()
    chosen = {"model": "openai/mock", "api_base": model.address}
    run_id = running.start(
        "build/own",
        domain="own",
        options=chosen if how == "option" else {"settings": {"generate": chosen}},
    )
    run = running.wait(run_id)
    assert run["state"]["name"] == "Refused", running.logs(run_id)
    assert "REDIAL_API_BASES" in run["state"]["message"]
    assert model.tally()["requests"] == 0


@pytest.mark.heavy
def test_pull_steps_are_not_run(running: Served, tmp_path: Path) -> None:
    change(running, "build/steps", pull_steps=shell(tmp_path / "made"))
    built(running, "steps", tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("entrypoint", ["{folder}/theirs.py:build", "theirs.build"])
def test_an_entry_point_is_not_taken(running: Served, tmp_path: Path, entrypoint: str) -> None:
    (tmp_path / "theirs.py").write_text(
        f"from pathlib import Path\nPath({str(tmp_path / 'made')!r}).touch()\n", encoding="utf-8"
    )
    step = {"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}
    change(
        running,
        "build/entry",
        entrypoint=entrypoint.format(folder=tmp_path),
        path=str(tmp_path),
        pull_steps=[step],
    )
    built(running, "entry", tmp_path)


@pytest.mark.heavy
def test_another_template_of_the_pool_is_not_taken(running: Served, tmp_path: Path) -> None:
    theirs = {
        "job_configuration": {
            "command": f"touch {tmp_path / 'made'}",
            "env": {"PYTHONPATH": str(tmp_path)},
            "working_dir": str(tmp_path),
        },
        "variables": {"type": "object", "properties": {}},
    }
    running.client.patch(
        "/work_pools/redial", json={"base_job_template": theirs}
    ).raise_for_status()
    try:
        built(running, "pool", tmp_path)
    finally:
        running.client.patch(
            "/work_pools/redial", json={"base_job_template": load_template()}
        ).raise_for_status()


@pytest.mark.heavy
def test_a_deployment_of_another_flow_ends_without_being_run(
    running: Served, tmp_path: Path
) -> None:
    (tmp_path / "theirs.py").write_text(
        f"from pathlib import Path\nPath({str(tmp_path / 'made')!r}).touch()\n", encoding="utf-8"
    )
    flow = running.client.post("/flows/", json={"name": "theirs"}).raise_for_status().json()
    body = {
        "name": "theirs",
        "flow_id": flow["id"],
        "entrypoint": f"{tmp_path}/theirs.py:run",
        "path": str(tmp_path),
        "work_pool_name": "redial",
        "pull_steps": shell(tmp_path / "made"),
    }
    deployment = running.client.post("/deployments/", json=body).raise_for_status().json()
    started = running.client.post(
        f"/deployments/{deployment['id']}/create_flow_run", json={"state": {"type": "SCHEDULED"}}
    )
    run = running.wait(started.raise_for_status().json()["id"])
    assert run["state"]["type"] == "CRASHED"
    assert not (tmp_path / "made").exists()


@pytest.mark.heavy
def test_pull_steps_are_not_run_for_the_hooks_of_a_lost_run(
    running: Served, tmp_path: Path
) -> None:
    """A worker loads the flow itself to call its hooks once the run's process is lost, or cancelled."""
    change(running, "build/slow", pull_steps=shell(tmp_path / "made"))
    run_id = running.start("build/slow", domain="slow")
    running.wait(run_id, among={"RUNNING"})
    os.kill(running.pid(run_id), signal.SIGKILL)
    until(
        lambda: "Running hook 'notify_crash'" in running.logs(run_id),
        60,
        lambda: running.logs(run_id),
    )
    until(
        lambda: running.states(run_id).count("Running") > 1,
        120,
        lambda: f"{running.states(run_id)}",
    )
    state = {"type": "CANCELLING", "name": "Cancelling"}
    running.client.post(
        f"/flow_runs/{run_id}/set_state", json={"state": state, "force": True}
    ).raise_for_status()
    running.wait(run_id, among={"CANCELLED", "FAILED"})
    assert not (tmp_path / "made").exists()


def built(served: Served, domain: str, folder: Path) -> None:
    """Build a domain through its deployment; nothing of what was planted in the folder may have run."""
    run_id = served.start(f"build/{domain}", domain=domain)
    assert served.wait(run_id)["state"]["name"] == "Completed", served.logs(run_id)
    assert not (folder / "made").exists()
