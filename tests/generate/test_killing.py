"""A generation that is killed, again and again.

The benchmark `generate_kills` does it twenty times with 2,000 briefs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.forked import Forked
from tests.support.generation_process import start
from tests.support.killing import run_and_kill, tables
from tests.support.model_process import ModelServer

COUNT, IN_FLIGHT = 240, 16


@pytest.mark.parametrize(
    ("how", "kills", "workers"), [(signal.SIGKILL, 2, 1), (signal.SIGINT, 1, 2)]
)
def test_nothing_acknowledged_is_asked_again_and_nothing_is_lost(
    server: ModelServer, tmp_path: Path, how: int, kills: int, workers: int
) -> None:
    server.behave(latency_s=0.05)
    settings = {
        "model": "openai/gpt-4o-mini",
        "api_base": server.address,
        "chunk_size": 50,
        "workers": workers,
        "limits": {"concurrency": IN_FLIGHT},
    }
    after = run_and_kill(server, tmp_path / "killed", settings, COUNT, kills, seed=5, how=how)
    assert after.last["answered"] == COUNT
    assert COUNT <= after.billed <= COUNT + kills * IN_FLIGHT
    assert after.asked_again == 0
    keys = [row[0] for row in after.tables["responses"]]
    assert len(keys) == len(set(keys)) == COUNT == len(after.tables["transcripts"])
    assert [row[3] for row in after.tables["transcripts"]] == [
        row[3] for row in sorted(after.tables["responses"], key=lambda row: row[1])
    ]
    assert not list((tmp_path / "killed" / "journals").rglob("*.jsonl"))


def settings(server: ModelServer, **limits: object) -> dict[str, object]:
    return {
        "model": "openai/gpt-4o-mini",
        "api_base": server.address,
        "limits": {"concurrency": IN_FLIGHT, **limits},
    }


def started(server: ModelServer, folder: Path, **limits: object) -> Forked:
    """Start a generation and return once as many calls are billed as may be in flight."""
    process = start(folder, settings(server, **limits), COUNT)
    while server.billed() < IN_FLIGHT:
        assert process.poll() is None
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_calls_in_flight_arrive_and_are_stored_before_a_signal_ends_the_run(
    server: ModelServer, tmp_path: Path, how: int
) -> None:
    server.behave(latency_s=2)
    process = started(server, tmp_path)
    process.send_signal(how)
    assert process.wait(60) != 0  # it ends as the signal says, only later
    assert server.billed() == IN_FLIGHT  # nothing was sent after it
    assert len(tables(tmp_path)["responses"]) == IN_FLIGHT


def test_a_service_that_is_stopped_whole_stores_what_its_workers_have_in_flight(
    server: ModelServer, tmp_path: Path
) -> None:
    """systemd and Docker signal every process of a service, workers included."""
    server.behave(latency_s=2)
    process = start(tmp_path, {**settings(server), "workers": 2}, COUNT, group=True)
    while server.billed() < IN_FLIGHT:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) != 0
    assert len(tables(tmp_path)["responses"]) == server.billed() == IN_FLIGHT


def test_a_second_signal_ends_the_run_at_once(server: ModelServer, tmp_path: Path) -> None:
    server.behave(latency_s=600)
    process = started(server, tmp_path, shutdown_grace_s=600, timeout_s=900)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0


def test_the_grace_period_ends(server: ModelServer, tmp_path: Path) -> None:
    server.behave(latency_s=600)
    process = started(server, tmp_path, shutdown_grace_s=0.5, timeout_s=900)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) != 0
