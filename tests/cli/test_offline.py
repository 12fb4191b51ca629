"""What needs no network asks none: every request that leaves this machine would go through a proxy, which counts."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.command import redial_command


@pytest.mark.heavy
def test_planning_for_a_hosted_model_asks_nobody(tmp_path: Path) -> None:
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        threading.Thread(target=note, args=(proxy, asked), daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name != "LITELLM_LOCAL_MODEL_COST_MAP"
        }
        environment = {
            **kept,
            "HTTPS_PROXY": address,
            "HTTP_PROXY": address,
            "NO_PROXY": "127.0.0.1,localhost",
        }
        command = redial_command(tmp_path, "plan", "demo")
        done = subprocess.run(
            [*command, "--model", "openai/gpt-4o-mini"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "187" in done.stdout
    assert asked == []
    assert "LiteLLM" not in done.stderr


def note(proxy: socket.socket, asked: list[str]) -> None:
    """Note the first line of every request, and refuse it."""
    while True:
        try:
            connection, _ = proxy.accept()
        except OSError:
            return
        with connection:
            asked.append(connection.recv(4096).partition(b"\r")[0].decode("latin-1"))
