"""compose.yaml says what the project really takes.

Its parts are started here by hand, PostgreSQL by its Debian package.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from typer.main import get_command

from flows.cli.app import app
from tasks.settings.paths import PROJECT
from tests.flows.test_postgres import module
from tests.support.command import environment_without
from tests.support.model_process import ModelServer, model_server
from tests.support.postgres import postgres, programs
from tests.support.served import KEY, Served, demo_like, processes, serving, until

LOGIN = "ann:open sesame"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::[-?][^}]*)?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text("utf-8"))
    return content


def test_what_depends_on_each_other_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"database", "server", "worker"}
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(
            compose["volumes"]
        )


def test_no_secret_is_written_down_and_none_is_forgotten(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|AUTH|KEY|DATABASE", name):
                assert VARIABLE.search(value), name
    assert compose["services"]["database"]["environment"]["POSTGRES_PASSWORD"].startswith(
        "${POSTGRES_PASSWORD:?"
    )
    for service in ("server", "worker"):
        assert any(
            value.startswith("${REDIAL_LOGIN:?")
            for value in compose["services"][service]["environment"].values()
        )


def test_keys_of_providers_go_to_workers_and_the_database_s_password_to_the_server(
    compose: dict[str, Any],
) -> None:
    environments = {
        name: str(service["environment"]) for name, service in compose["services"].items()
    }
    assert [name for name, text in environments.items() if "API_KEY" in text] == ["worker"]
    assert [name for name, text in environments.items() if "POSTGRES_PASSWORD" in text] == [
        "database",
        "server",
    ]


def test_only_this_machine_reaches_the_ports(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:4200:4200", "127.0.0.1:4201:4201"]


def test_the_server_s_command_is_one_of_ours(compose: dict[str, Any]) -> None:
    command = compose["services"]["server"]["command"]
    assert command[:2] == ["redial", "serve"]
    chosen = get_command(app).get_command(None, "serve").make_context("serve", command[2:]).params  # type: ignore[attr-defined,union-attr,arg-type]
    assert (chosen["workers"], chosen["listen"], chosen["port"], chosen["no_login"]) == (
        0,
        "0.0.0.0",
        4200,
        False,
    )


def test_the_worker_s_command_is_one_of_ours(compose: dict[str, Any]) -> None:
    command = compose["services"]["worker"]["command"]
    assert command[0] == "python"
    known = subprocess.run(
        [sys.executable, *command[1:3], "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert all(word in known for word in command[3:] if word.startswith("--"))


def test_the_health_check_tells_whether_the_server_is_up(
    compose: dict[str, Any], served: Served
) -> None:
    command = compose["services"]["server"]["healthcheck"]["test"]
    assert command[:2] == ["CMD", "python"]

    def ends(port: int) -> int:
        words = [word.replace("4200", str(port)) for word in command[2:]]
        return subprocess.run(
            [sys.executable, *words], stderr=subprocess.DEVNULL, check=False, timeout=60
        ).returncode

    assert ends(served.port) == 0
    assert ends(9) != 0


def test_the_image_is_made_of_what_is_there(compose: dict[str, Any]) -> None:
    lines = (PROJECT / "Dockerfile").read_text("utf-8").splitlines()
    assert compose["x-redial"]["build"] == "."
    copied = [line.split()[1] for line in lines if line.startswith("COPY")]
    assert all((PROJECT / name).exists() for name in copied)
    wanted = re.search(
        r"requires-python = \">=(\d\.\d+)", (PROJECT / "pyproject.toml").read_text("utf-8")
    )
    assert wanted is not None and f"FROM python:{wanted[1]}-slim" in lines


# --- its parts, with its commands and environments


@pytest.mark.heavy
@pytest.mark.skipif(programs() is None, reason="no PostgreSQL here")
def test_its_parts_work_together(compose: dict[str, Any], tmp_path: Path) -> None:
    """A build, whose worker's machine is lost in the middle and comes back."""
    data = tmp_path / "data"
    with model_server(answers="mock", latency_s=1.0) as model, postgres() as database:
        generate = {
            "model": "openai/mock",
            "api_base": model.address,
            "limits": {"concurrency": 2, "probe": False},
        }
        demo_like(data, "ours", title="Ours", briefs={"max_dialogues": 16}, generate=generate)
        command = compose["services"]["server"]["command"]
        given = environment_of(compose, "server", data, database=database)
        given.pop("REDIAL_DATA")  # the test names it on the command line
        with serving(data, *command[2 : command.index("--port")], **given) as server:
            build(compose, server, model, tmp_path)


def build(compose: dict[str, Any], server: Served, model: ModelServer, folder: Path) -> None:
    run_id = server.start("build/ours", domain="ours")
    with worker(compose, server, folder):
        until(lambda: model.billed() >= 4, 180)
        lost = [pid for pid, command in processes(server.data).items() if is_of_worker(command)]
        assert len(lost) >= 2
        for pid in lost:
            os.kill(pid, 9)
    assert server.run(run_id)["state"]["type"] == "RUNNING"
    with worker(compose, server, folder):
        run = server.wait(run_id, among={"COMPLETED", "FAILED"})
    assert run["state"]["name"] == "Completed", server.logs(run_id)
    assert server.states(run_id).count("Crashed") == 1


def is_of_worker(command: str) -> bool:
    return "flows.server.worker" in command or "prefect.engine" in command


@contextmanager
def worker(compose: dict[str, Any], server: Served, folder: Path) -> Iterator[None]:
    kept = environment_without("PREFECT_")
    given = environment_of(compose, "worker", server.data, server=f"127.0.0.1:{server.port}")
    environment = {
        **kept,
        **given,
        "PREFECT_HOME": str(folder / "worker"),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
    with module(environment, folder / "worker.log", *compose["services"]["worker"]["command"][2:]):
        yield


def environment_of(
    compose: dict[str, Any], service: str, data: Path, **places: str
) -> dict[str, str]:
    """Return a service's environment with the variables put in, and with our places for those of its network."""
    password = urlsplit(places["database"]).password if "database" in places else ""
    values = {"REDIAL_LOGIN": LOGIN, "POSTGRES_PASSWORD": password or "", "OPENAI_API_KEY": KEY}
    put_in = {
        name: VARIABLE.sub(lambda found: values.get(found["name"], ""), value)
        for name, value in compose["services"][service]["environment"].items()
    }
    if "database" in places:
        ours = urlsplit(places["database"])
        put_in["REDIAL_DATABASE"] = put_in["REDIAL_DATABASE"].replace(
            "@database:5432/prefect", f"@127.0.0.1:{ours.port}{ours.path}"
        )
    if "server" in places:
        put_in["PREFECT_API_URL"] = put_in["PREFECT_API_URL"].replace(
            "server:4200", places["server"]
        )
    return {**put_in, "REDIAL_DATA": str(data)}
