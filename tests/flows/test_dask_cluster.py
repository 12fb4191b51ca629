"""`--dask tcp://HOST:PORT`: a scheduler and workers that an operator started, and addresses where none answers."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest

from flows.dask_address import (
    check_address,
    check_api_reachable,
    check_cluster,
    find_workers,
    local_processes,
)
from tasks.errors import UserError
from tasks.settings.paths import PROJECT
from tests.support.dask_cluster import build_own, dask_cluster, in_small_chunks, with_dask
from tests.support.model_process import model_server
from tests.support.object_store import BUCKET, files_of, object_store
from tests.support.served import KEY, demo_like, released, until

NOBODY = "tcp://127.0.0.1:1"  # a port on which nothing may listen but root's services


@pytest.mark.heavy
@with_dask
def test_a_build_through_a_scheduler_gives_the_same_release(tmp_path: Path) -> None:
    """With a model behind it, on two workers, one of which is killed: as a plain build, and nothing is asked twice."""
    data, alone = tmp_path / "dask", tmp_path / "alone"
    for folder in (data, alone):
        demo_like(folder, "own", title="Our own", briefs={"max_dialogues": 48}, seed=1)
    with model_server(answers="mock", latency_s=0.5) as model:
        given = in_small_chunks(model.address)
        with dask_cluster(tmp_path, 2, OPENAI_API_KEY=KEY) as cluster:
            running = build_own(data, *given, "--dask", cluster.address)
            until(lambda: model.tally()["billed"] >= 8, 240, lambda: "nothing was asked")
            os.kill(cluster.workers[0].pid, signal.SIGKILL)
            told, _ = running.communicate(timeout=400)
            assert running.returncode == 0, told
        model.behave(latency_s=0.0)
        told, _ = (undisturbed := build_own(alone, *given)).communicate(timeout=400)
        assert undisturbed.returncode == 0, told
    assert released(data) == released(alone)


@pytest.mark.heavy
@with_dask
def test_workers_that_share_no_folder_keep_journals_in_a_store(tmp_path: Path) -> None:
    """One of two workers is killed; what it was answered is in the store, and nothing is asked twice."""
    data, alone = tmp_path / "dask", tmp_path / "alone"
    for folder in (data, alone):
        demo_like(folder, "own", title="Our own", briefs={"max_dialogues": 48}, seed=1)
    with object_store() as aws, model_server(answers="mock", latency_s=0.5) as model:
        given = in_small_chunks(model.address)
        stored = ("--set", f"generate.journals=s3://{BUCKET}/journals")
        theirs = {"OPENAI_API_KEY": KEY, "REDIAL_DATA": str(tmp_path / "theirs"), **aws}
        with dask_cluster(tmp_path, 2, **theirs) as cluster:
            running = build_own(data, *given, *stored, "--dask", cluster.address, **aws)
            until(lambda: model.tally()["billed"] >= 8, 240, lambda: "nothing was asked")
            os.kill(cluster.workers[0].pid, signal.SIGKILL)
            told, _ = running.communicate(timeout=400)
            assert running.returncode == 0, told
        billed = model.tally()["billed"]
        with duckdb.connect(str(data / "warehouse" / "own.duckdb"), read_only=True) as con:
            ((asked,),) = con.execute(
                "SELECT count(DISTINCT request_key) FROM responses"
            ).fetchall()
        assert asked <= billed <= asked + 2  # two calls in flight a worker, one worker killed
        assert files_of(aws).find(BUCKET) == []
        assert not list((data / "journals").rglob("*.jsonl"))
        model.behave(latency_s=0.0)
        told, _ = (undisturbed := build_own(alone, *given)).communicate(timeout=400)
        assert undisturbed.returncode == 0, told
    assert released(data) == released(alone)


@pytest.mark.heavy
@with_dask
def test_a_scheduler_that_dies_ends_the_build_in_one_line_and_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    demo_like(data, "own", title="Our own", briefs={"max_dialogues": 48}, seed=1)
    with model_server(answers="mock", latency_s=0.5) as model:
        given = in_small_chunks(model.address)
        with dask_cluster(tmp_path, 2, OPENAI_API_KEY=KEY) as cluster:
            running = build_own(data, *given, "--dask", cluster.address)
            until(lambda: model.tally()["billed"] >= 8, 240, lambda: "nothing was asked")
            cluster.scheduler.kill()
            told, _ = running.communicate(timeout=120)
            assert "the Dask cluster lost a chunk" in told and "Traceback" not in told, told
        billed = model.tally()["billed"]
        told, _ = (again := build_own(data, *given)).communicate(timeout=400)
        assert again.returncode == 0, told
        # What was answered before stands in the journals.
        assert model.tally()["billed"] < billed + 48


@pytest.mark.heavy
@with_dask
def test_a_scheduler_without_workers_and_a_worker_s_address_are_one_line(tmp_path: Path) -> None:
    with (
        dask_cluster(tmp_path, 0) as cluster,
        pytest.raises(UserError, match="has no workers: start some with `dask worker tcp://"),
    ):
        check_cluster(cluster.address)
    with dask_cluster(tmp_path, 1) as cluster:
        (worker,) = find_workers(cluster.address)
        with pytest.raises(
            UserError, match="no Dask scheduler answers at .*: that is a Worker of a cluster"
        ):
            check_cluster(worker)


# --- addresses


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:8786", "tcp://h.example.org:1", "tls://[::1]:8786", "local:1", "local:999"],
)
def test_addresses_of_clusters(address: str) -> None:
    check_address(address)
    assert (local_processes(address) is None) == ("://" in address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "localhost",
            "http://x:1",
            "local:",
            "local:-1",
            "local:0",
            "local:1000",
            "tcp://host",
            "local:2; rm",
        ),
        *(
            "tcp://h:0",
            "tcp://h:65536",
            "tcp://h:x",
            "tcp://:8786",
            "tcp://h:1/path",
            "tcp://u:p@h:1",
            "tcp://[::1",
            "127.0.0.1:8786",
        ),
    ],
)
def test_what_is_no_address_of_a_cluster(address: str) -> None:
    with pytest.raises(UserError, match="is not a valid Dask scheduler address"):
        check_address(address)


@contextmanager
def silent() -> Iterator[int]:
    """Listen and never answer."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield int(listening.getsockname()[1])


@contextmanager
def web() -> Iterator[int]:
    """A web server."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


# Dask's own client would try for minutes.
SOON_S = 30


@with_dask
@pytest.mark.parametrize("listening", [silent, web])
def test_what_is_no_scheduler_is_one_line_within_seconds(listening: object) -> None:
    began = time.monotonic()
    with (
        listening() as port,
        pytest.raises(
            UserError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port}: "
        ) as refused,
    ):  # type: ignore[operator]
        check_cluster(f"tcp://127.0.0.1:{port}")
    assert len(str(refused.value).splitlines()) == 1
    assert time.monotonic() - began < SOON_S


@with_dask
def test_a_host_that_is_not_known_is_one_line() -> None:
    with pytest.raises(UserError, match="the host's name is not known"):
        check_cluster("tcp://no-such-host.invalid:8786")


@with_dask
def test_a_build_whose_scheduler_does_not_answer_ends_before_anything_is_started(
    tmp_path: Path,
) -> None:
    demo_like(tmp_path, "own", title="Our own")
    running = build_own(tmp_path, "--dask", NOBODY)
    told, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert told.strip() == f"redial: no Dask scheduler answers at {NOBODY}: connection refused"
    assert not (tmp_path / "warehouse").exists() and not (tmp_path / "prefect").exists()


def test_the_hint_names_both_ways_to_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.dask_address.find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"`make extras` in a clone.*`pip install 'llm-redial\[dask\]'`"
    ):
        check_cluster("local:2")
    assert "extras:" in (PROJECT / "Makefile").read_text("utf-8")
    assert "\ndask = [" in (PROJECT / "pyproject.toml").read_text("utf-8")


def test_workers_elsewhere_need_a_server_that_they_reach() -> None:
    here, there = {"tcp://127.0.0.1:4": {}}, {"tcp://127.0.0.1:4": {}, "tcp://192.0.2.7:4": {}}
    check_api_reachable("http://127.0.0.1:4200/api", here)
    check_api_reachable("https://prefect.example.org/api", there)
    with pytest.raises(
        UserError, match=r"the Dask worker on 192\.0\.2\.7 cannot reach .*: set PREFECT_API_URL"
    ):
        check_api_reachable("http://127.0.0.1:4200/api", there)
