"""Chunks on a real Dask cluster: same release, nothing asked twice when a worker is killed, and no cluster without a server."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
from functools import partial
from pathlib import Path

import duckdb
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.dask_generation import Cluster, write_chunk
from tasks.errors import UserError
from tasks.generate import Chunk, ChunkJob, Single
from tasks.prompts import render
from tasks.settings import Generate
from tests.support import made_up_briefs
from tests.support.dask_cluster import build_own, in_small_chunks, with_dask
from tests.support.model_process import model_server
from tests.support.served import demo_like, processes, released, until


@pytest.mark.heavy
@with_dask
def test_the_release_is_the_same_though_a_dask_worker_was_killed(tmp_path: Path) -> None:
    data = tmp_path / "dask"
    demo_like(data, "own", title="Our own", briefs={"max_dialogues": 48}, seed=1)
    with model_server(answers="mock", latency_s=0.5) as model:
        given = in_small_chunks(model.address)
        running = build_own(data, *given, "--dask", "local:2")
        until(lambda: model.tally()["billed"] >= 8, 240, lambda: "nothing was asked")
        victims = [
            pid
            for pid, command in processes(data).items()
            if "spawn_main" in command and pid != running.pid
        ]
        assert len(victims) >= 2, processes(data)
        os.kill(victims[0], signal.SIGKILL)
        told, _ = running.communicate(timeout=400)
        assert running.returncode == 0, told
        billed = model.tally()["billed"]
        with duckdb.connect(str(data / "warehouse" / "own.duckdb"), read_only=True) as con:
            asked, different = con.execute(
                "SELECT count(*), count(DISTINCT request_key) FROM responses"
            ).fetchall()[0]
        assert asked == different
        assert asked <= billed <= asked + 2  # two calls in flight a worker, one worker killed
        assert not list((data / "journals").rglob("*.jsonl"))

        alone = tmp_path / "alone"
        shutil.copytree(data / "domains", alone / "domains")
        model.behave(latency_s=0.0)
        told, _ = (undisturbed := build_own(alone, *given)).communicate(timeout=400)
        assert undisturbed.returncode == 0, told
    assert released(data) == released(alone)


def test_no_cluster_without_a_server() -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(UserError, match="set PREFECT_API_URL"),
    ):
        Cluster("local:2")


def test_a_chunk_goes_on_where_a_lost_worker_has_ended(tmp_path: Path) -> None:
    """Without Dask: the job is run, the answers stay in its journal, and a second worker with the same job asks for nothing."""
    profile, goals = made_up_briefs.profile_and_goals()
    chunk = Chunk(1, tuple(made_up_briefs.curated(made_up_briefs.ids(6))), tmp_path / "1.jsonl")
    made: ChunkJob = pickle.loads(
        pickle.dumps(
            ChunkJob(chunk, Single(partial(render, profile, goals)), Generate(), "run", {})
        )
    )
    first = write_chunk(made)
    assert first.usage.answered == len(made.chunk.briefs) and first.usage.stored == 0
    second = write_chunk(made)
    assert second.usage.answered == 0 and second.usage.stored == len(made.chunk.briefs)
    assert set(second.transcripts) == set(first.transcripts)
