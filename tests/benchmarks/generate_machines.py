"""Dialogues a second of one process, and of three Dask workers that share journals in two ways.

    python -m tests.benchmarks.generate_machines [--calls 12000] [--latency 2] [--in-flight 256]

A mock server answers each request after a while, so that waiting bounds the rate and not this
machine. The workers are processes with data folders of their own; they write journals to the folder
of the process that gave them work, as over a shared file system, or to a loopback S3 server. Last,
with S3, a worker is killed in the middle. Rates are the server's: answers over the time from the
first request to the last answer, start-up left out.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import flow

from flows.dask_generation import Cluster
from flows.progress import SILENT
from flows.server.ephemeral import run_flow
from tasks.generate import GenerateCounts, Single, Work, generate_transcripts
from tasks.settings import Generate, Home
from tasks.warehouse import open_warehouse
from tests.support import made_up_briefs
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.model_process import ModelServer, model_server
from tests.support.object_store import BUCKET, files_of, object_store
from tests.support.served import KEY

WORKERS = 3
DOMAIN = "machines"


@dataclass(frozen=True)
class Bench:
    """What all measurements share."""

    model: ModelServer
    calls: int
    chunk: int
    in_flight: int
    latency_s: float

    def settings(self, processes: int, store: str | None) -> Generate:
        return Generate(
            model="openai/gpt-4o-mini",
            api_base=self.model.address,
            chunk_size=self.chunk,
            journals=store,
            limits={"concurrency": self.in_flight * processes, "probe": False},
        )

    def generate(
        self, folder: Path, settings: Generate, address: str | None = None
    ) -> GenerateCounts:
        """Write all dialogues into a warehouse in a folder, on the cluster at an address if given."""
        home, rollout = Home(data=folder), Single(made_up_briefs.render)
        work = Work(made_up_briefs.ids(self.calls), made_up_briefs.fetch, rollout, "small")

        async def generated() -> GenerateCounts:
            with ExitStack() as stack:
                con = stack.enter_context(open_warehouse(home.warehouse(DOMAIN)))
                cluster = stack.enter_context(Cluster(address)) if address else None
                executor = cluster and cluster.executor(con, settings, rollout, "bench", DOMAIN)
                return await generate_transcripts(
                    con, work, settings, home.journals(DOMAIN), "bench", executor=executor
                )

        self.model.reset()
        counts = run_flow(home, DOMAIN, SILENT, flow(generated, name="bench"))
        assert counts.answered == self.calls, counts
        return counts

    def rate(self) -> float:
        """Return the answers a second that the server gave."""
        times = self.model.tally()["admitted_at"]
        return len(times) / (times[-1] - times[0] + self.latency_s)


def on_cluster(bench: Bench, folder: Path, aws: Mapping[str, str], *, killed: bool = False) -> str:
    """Generate on three workers; with variables of AWS, journals are kept there."""
    store = f"s3://{BUCKET}/journals" if aws else None
    variables = {**aws, "OPENAI_API_KEY": KEY, "REDIAL_DATA": str(folder / "theirs")}
    with dask_cluster(folder, WORKERS, **variables) as running:
        if killed:
            threading.Thread(target=kill_one, args=(bench, running), daemon=True).start()
        bench.generate(folder / "own", bench.settings(WORKERS, store), running.address)
    billed = bench.model.tally()["billed"]
    left = len(files_of(aws).find(BUCKET)) if aws else 0
    return f"{bench.rate():7.1f}/s, {billed:,} billed, {left} objects left"


def kill_one(bench: Bench, running: DaskCluster) -> None:
    while bench.model.tally()["billed"] < bench.calls // 3:
        time.sleep(0.1)
    running.workers[0].kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=12_000)
    parser.add_argument("--chunk", type=int, default=4_000, help="briefs of a chunk")
    parser.add_argument("--in-flight", type=int, default=256, help="of each process")
    parser.add_argument("--latency", type=float, default=2.0, help="of each answer, in seconds")
    given = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", KEY)
    logging.disable(logging.INFO)
    print(
        f"{given.calls:,} calls of {given.latency:g} s in chunks of {given.chunk:,}, "
        f"{given.in_flight} in flight a process; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    with ExitStack() as stack:
        aws = stack.enter_context(object_store())
        os.environ.update(aws)
        model = stack.enter_context(model_server(latency_s=given.latency))
        bench = Bench(model, given.calls, given.chunk, given.in_flight, given.latency)
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bench.generate(folder / "one", bench.settings(1, None))
        print(f"one process            {bench.rate():7.1f}/s", flush=True)
        for name, variables, killed in (
            ("three, one file system", {}, False),
            ("three, journals in S3", aws, False),
            ("the same, one killed", aws, True),
        ):
            place = folder / name.replace(" ", "-")
            place.mkdir()
            print(f"{name:23}{on_cluster(bench, place, variables, killed=killed)}", flush=True)


if __name__ == "__main__":
    main()
