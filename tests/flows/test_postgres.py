"""Past one machine, as docs/how-to/scale-out.md says it is done by hand: a server on PostgreSQL, two workers on one pool, one backfill.

The two workers stand for two machines that see one data folder. Nothing of `redial serve` is in it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml

from flows.server.api import RetryingTransport
from tasks.settings import Home
from tasks.settings.paths import PROJECT
from tests.support.command import environment_without
from tests.support.ending import end_process
from tests.support.plain_build import plain_build
from tests.support.postgres import postgres, programs
from tests.support.served import (
    Served,
    demo_like,
    free_port_pair,
    released,
    until,
)

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(programs() is None, reason="no PostgreSQL here"),
]
LOGIN = "ann:open sesame"
DOMAINS = ("north", "east", "south", "west")


def test_two_workers_share_a_backfill_on_postgresql(tmp_path: Path) -> None:
    data, alone = tmp_path / "shared", tmp_path / "alone"
    for number, name in enumerate(DOMAINS):
        for folder in (data, alone):
            demo_like(folder, name, title=name.title(), seed=number, briefs={"max_dialogues": 12})
    with postgres() as database, by_hand(data, tmp_path, database) as server:
        run_id = server.start("backfill/backfill", domains=list(DOMAINS), at_once=4)
        run = server.wait(run_id)
        assert run["state"]["name"] == "Completed", server.logs(run_id)
        took = {domain: worker_of(server, domain) for domain in DOMAINS}
        assert set(took.values()) == {"first", "second"}, took
        assert asyncio.run(runs_in(database)) == 1 + len(DOMAINS)
    for name in DOMAINS:
        plain_build(Home(data=alone), name)
    assert released(data) == released(alone)
    assert {path.split("/")[1] for path in released(data)} == set(DOMAINS)


async def runs_in(database: str) -> int:
    """Count the flow runs that stand in PostgreSQL."""
    con = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        return int(await con.fetchval("SELECT count(*) FROM flow_run"))
    finally:
        await con.close()


def worker_of(server: Served, domain: str) -> str:
    (run,) = server.runs_of(domain)
    return str(run["labels"]["prefect.worker.name"])


@contextmanager
def by_hand(data: Path, folder: Path, database: str) -> Iterator[Served]:
    """Server, pool, deployments and two workers, each by its own command."""
    port, (user, _, password) = free_port_pair(), LOGIN.partition(":")
    kept = environment_without("PREFECT_")
    environment = {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
        "PREFECT_API_AUTH_STRING": LOGIN,
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "REDIAL_DATA": str(data),
    }
    with ExitStack() as stack:
        process = stack.enter_context(
            module(environment, folder / "server.log", "flows.server.app", str(port))
        )
        client = stack.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}/api",
                timeout=60,
                auth=(user, password),
                transport=RetryingTransport(),
            )
        )
        until(
            lambda: client.get("/health").status_code == 200,
            240,
            lambda: (folder / "server.log").read_text(),
        )
        at_once(
            environment,
            "work-pool",
            "create",
            "redial",
            "--type",
            "process",
            "--base-job-template",
            "work_pool.json",
        )
        at_once(
            environment,
            "--no-prompt",
            "deploy",
            "--all",
            "--prefect-file",
            str(deployments(folder)),
        )
        # The backfill takes a place of its own, so that neither has room for all five runs.
        for name in (
            "first",
            "second",
        ):
            worker = ("flows.server.worker", "--name", name, "--limit", "3")
            stack.enter_context(module(environment, folder / f"{name}.log", *worker))
        until(
            lambda: len(client.post("/work_pools/redial/workers/filter", json={}).json()) == 2, 120
        )
        yield Served(data, port, process, client)


@contextmanager
def module(
    environment: Mapping[str, str], log: Path, *arguments: str
) -> Iterator[subprocess.Popen[Any]]:
    """Run a Python module for the length of the block; Ctrl-C ends it."""
    command = [sys.executable, "-m", *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield process
    finally:
        end_process(process, signal.SIGINT, 60)


def at_once(environment: Mapping[str, str], *arguments: str) -> None:
    """Run a Prefect command to its end."""
    command = [sys.executable, "-m", "prefect", *arguments]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def deployments(folder: Path) -> Path:
    """Write a deployment file for the domains of this test after the pattern of the shipped one."""
    content = yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))
    shipped = {each["name"]: each for each in content["deployments"]}
    ours = [{**shipped["demo"], "name": name, "parameters": {"domain": name}} for name in DOMAINS]
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}]
    file = folder / "prefect.yaml"
    file.write_text(
        yaml.safe_dump(
            {"name": content["name"], "deployments": [shipped["backfill"], *ours], "pull": pull}
        ),
        "utf-8",
    )
    return file
