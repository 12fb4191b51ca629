"""A worker that was started by hand and is asked to end hands its run back; the run has not crashed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.server.orphaned_runs import STOPPED
from flows.server.process_identity import processes_of_run
from tasks.settings.paths import PROJECT
from tests.support.command import environment_without
from tests.support.model_process import model_server
from tests.support.served import KEY, Served, demo_like, serving, until


@contextmanager
def worker_by_hand(served: Served, name: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **environment_without("PREFECT_"),
        "REDIAL_DATA": str(served.data),
        "PREFECT_API_URL": f"{served.ui}/api",
        "PREFECT_API_AUTH_STRING": served.login,
        "OPENAI_API_KEY": KEY,
    }
    command = [sys.executable, "-m", "flows.server.worker", "--name", name]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as worker:
        yield worker
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=60)


@pytest.mark.heavy
def test_a_stopped_worker_hands_its_run_back(tmp_path: Path) -> None:
    with model_server(writer="offline", latency_s=2.0) as model:
        generate = {
            "model": "openai/mock",
            "api_base": model.address,
            "limits": {"concurrency": 2, "probe": False},
        }
        briefs = {"max_dialogues": 12}
        demo_like(tmp_path, "slow", title="slow", briefs=briefs, generate=generate)
        with serving(tmp_path, "--workers", "0") as served:
            run_id = served.start("build/slow", domain="slow")
            with worker_by_hand(served, "first"):
                until(lambda: model.billed() >= 4, 180, lambda: served.logs(run_id))
            state = served.run(run_id)["state"]
            assert (state["name"], state["message"]) == (STOPPED["name"], STOPPED["message"])
            assert processes_of_run(run_id) == []
            model.behave(latency_s=0.0)
            with worker_by_hand(served, "second"):
                run = served.wait(run_id)
            assert run["state"]["name"] == "Completed", served.logs(run_id)
