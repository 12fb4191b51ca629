"""Chunks on a real Dask cluster: same release, nothing asked twice when a worker is killed, and no cluster without a server."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.fanout import Cluster, write_chunk
from tasks.errors import UserError
from tasks.generate import Chunk, ChunkJob, Single
from tasks.prompts import render
from tasks.settings import Generate
from tasks.settings.home import PROJECT
from tests.support import made_up_briefs
from tests.support.model_process import model_server
from tests.support.served import KEY, demo_like, processes, released, until

with_dask = pytest.mark.skipif(find_spec("prefect_dask") is None, reason="the extra dask is not installed")


def build(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `redial build own` on a private server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-c", "from flows.cli import main; main()", "build", "own", *arguments]
    environment = {**kept, "OPENAI_API_KEY": KEY, "REDIAL_DATA": str(data)}
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.heavy
@with_dask
def test_the_release_is_the_same_though_a_dask_worker_was_killed(tmp_path: Path) -> None:
    data = tmp_path / "dask"
    demo_like(data, "own", title="Our own", briefs={"max_dialogues": 48}, seed=1)
    with model_server(writer="offline", latency_s=0.5) as model:
        given = ["--model", "openai/mock", "--api-base", model.address, "--concurrency", "4", "--set", "generate.chunk_size=12"]
        running = build(data, *given, "--dask", "local:2")
        until(lambda: model.tally()["billed"] >= 8, 240, lambda: "nothing was asked")
        victims = [pid for pid, command in processes(data).items() if "spawn_main" in command and pid != running.pid]
        assert len(victims) >= 2, processes(data)
        os.kill(victims[0], signal.SIGKILL)
        told, _ = running.communicate(timeout=400)
        assert running.returncode == 0, told
        billed = model.tally()["billed"]
        with duckdb.connect(str(data / "warehouse" / "own.duckdb"), read_only=True) as con:
            asked, different = con.execute("SELECT count(*), count(DISTINCT request_key) FROM responses").fetchall()[0]
        assert asked == different
        assert asked <= billed <= asked + 2  # two calls in flight a worker, one worker killed
        assert not list((data / "journals").rglob("*.jsonl"))

        alone = tmp_path / "alone"
        shutil.copytree(data / "domains", alone / "domains")
        model.behave(latency_s=0.0)
        told, _ = (undisturbed := build(alone, *given)).communicate(timeout=400)
        assert undisturbed.returncode == 0, told
    assert released(data) == released(alone)


def test_no_cluster_without_a_server() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(UserError, match="set PREFECT_API_URL"):
        Cluster("local:2")


def test_a_chunk_goes_on_where_a_lost_worker_has_ended(tmp_path: Path) -> None:
    """Without Dask: the job is run, the answers stay in its journal, and a second worker with the same job asks for nothing."""
    profile, goals = made_up_briefs.profile_and_goals()
    chunk = Chunk(1, tuple(made_up_briefs.curated(made_up_briefs.ids(6))), tmp_path / "1.jsonl")
    made: ChunkJob = pickle.loads(pickle.dumps(ChunkJob(chunk, Single(partial(render, profile, goals)), Generate(), "run", {})))
    first = write_chunk(made)
    assert first.usage.answered == len(made.chunk.briefs) and first.usage.stored == 0
    second = write_chunk(made)
    assert second.usage.answered == 0 and second.usage.stored == len(made.chunk.briefs)
    assert set(second.transcripts) == set(first.transcripts)
