"""A generation that is killed, again and again. The benchmark `generate_kills` does it twenty times with 2,000 briefs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.killing import run_and_kill
from tests.support.model_process import ModelServer

COUNT, IN_FLIGHT = 240, 16


@pytest.mark.parametrize(("how", "kills", "workers"), [(signal.SIGKILL, 2, 1), (signal.SIGINT, 1, 2)])
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
    assert [row[3] for row in after.tables["transcripts"]] == [row[3] for row in sorted(after.tables["responses"], key=lambda row: row[1])]
    assert not list((tmp_path / "killed" / "journals").rglob("*.jsonl"))
