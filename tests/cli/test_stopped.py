"""A build whose terminal or service manager stops it: one line, the shell's exit code, and everything paid for is stored."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from tests.support.command import environment_without, redial_command
from tests.support.model_process import ModelServer, model_server

pytestmark = pytest.mark.heavy  # a whole command for each signal
IN_FLIGHT = 8


def start_build(data: Path, server: ModelServer, workers: int) -> subprocess.Popen[str]:
    """Start a build whose model is the server."""
    environment = environment_without("PREFECT_API_URL")
    environment["OPENAI_API_KEY"] = "sk-stopped-0123456789"
    chosen = {
        "briefs.max_dialogues": 60,
        "generate.model": "openai/gpt-4o-mini",
        "generate.api_base": server.address,
        "generate.limits.concurrency": IN_FLIGHT,
        "generate.workers": workers,
        "generate.limits.probe": "false",
    }
    options = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    command = redial_command(data, "build", "demo", *options)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


@pytest.mark.parametrize(
    ("how", "whole_group", "workers", "code"),
    [
        (signal.SIGTERM, False, 1, 143),
        (signal.SIGTERM, True, 2, 143),  # as systemd and Docker stop a service
        (signal.SIGINT, True, 1, 130),  # as a terminal passes Ctrl-C on
    ],
)
def test_a_signal_ends_a_build_with_one_line_and_keeps_what_is_paid(
    tmp_path: Path, how: signal.Signals, whole_group: bool, workers: int, code: int
) -> None:
    with model_server(latency_s=2.0, answers="mock") as server:
        process = start_build(tmp_path, server, workers)
        while server.billed() < IN_FLIGHT:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        (os.killpg if whole_group else os.kill)(process.pid, how)
        out, err = process.communicate(timeout=120)
        billed = server.billed()
    assert (process.returncode, out) == (code, "")
    last = "redial: stopped; nothing that was paid for is lost, run the same command again to go on"
    assert [line for line in err.splitlines() if line.strip()][-1] == last and err.count(
        "redial:"
    ) == 1
    assert "Traceback" not in err and "leaked" not in err
    with duckdb.connect(str(tmp_path / "warehouse" / "demo.duckdb"), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM responses").fetchall() == [(billed,)]
    assert billed == IN_FLIGHT
