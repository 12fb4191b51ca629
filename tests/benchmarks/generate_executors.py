"""Dialogues a second by several ways to run chunks: our workers, ProcessPoolExecutor, Dask.

Against the mock server (2 s latency by default) and with the mock model. The rate with a server is
its own: answers over the time from the first request to the last answer, so that no start-up
counts; with the mock model it is over the whole run. ProcessPoolExecutor and Dask get what the
Dask executor of `redial build --dask` gives: one job a chunk, with its share of the limits and the
answers stored for it.

    python -m tests.benchmarks.generate_executors --calls 3000 --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from tasks.generate import (
    Chunk,
    ChunkJob,
    ChunkResult,
    Single,
    Work,
    generate_chunk,
    generate_transcripts,
    make_job,
    share,
)
from tasks.llm import RunStopped, Usage
from tasks.settings import Generate
from tasks.warehouse import Connection, open_warehouse
from tests.support import made_up_briefs
from tests.support.model_process import ModelServer, model_server

DEFAULT_IN_FLIGHT = 256  # a process
WORKERS = 2


def run_job(job: ChunkJob) -> ChunkResult:
    """Run a job in a process that has no event loop."""
    return asyncio.run(generate_chunk(job))


class JobExecutor:
    """A `ChunkExecutor` over `submit(function, job)`, which returns a future."""

    def __init__(
        self, con: Connection, generate: Generate, rollout: Single, submit: Callable[..., Any]
    ) -> None:
        self.slots = WORKERS + 1
        self.usage = Usage()
        self.in_flight = 0
        self.paused_s = 0.0
        limits = share(generate.limits, WORKERS)
        self._generate = generate.model_copy(update={"limits": limits})
        self._con, self._rollout, self._submit = con, rollout, submit

    async def run(self, chunk: Chunk) -> ChunkResult:
        """Run one chunk as a job."""
        job = make_job(self._con, chunk, self._rollout, self._generate, "bench")
        return await asyncio.to_thread(self._submit(run_job, job).result)

    def stop(self, reason: RunStopped) -> None:
        """Do nothing: a benchmark is not stopped."""

    async def close(self) -> None:
        """Leave the processes to their owner."""


@contextmanager
def process_pool() -> Iterator[Callable[..., Any]]:
    """Yield the submit of a pool of processes from the standard library."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        yield pool.submit


@contextmanager
def dask_cluster() -> Iterator[Callable[..., Any]]:
    """Yield the submit of a Dask cluster of as many processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield lambda function, job: client.submit(function, job, pure=False)


@dataclass(frozen=True)
class Method:
    """A way to run chunks.

    Attributes:
        chunk_size: briefs in a chunk; None for one chunk a process, the best case of a job pool.
        submit: None for our own executors.
    """

    name: str
    workers: int
    chunk_size: int | None
    submit: Callable[[], Any] | None = None


METHODS = (
    Method("in-process", 1, 200),
    Method("our workers", WORKERS, 200),
    Method("ProcessPoolExecutor, chunks of 200", WORKERS, 200, process_pool),
    Method("ProcessPoolExecutor, one chunk a process", WORKERS, None, process_pool),
    Method("Dask LocalCluster, chunks of 200", WORKERS, 200, dask_cluster),
    Method("Dask LocalCluster, one chunk a process", WORKERS, None, dask_cluster),
)


def run_method(method: Method, calls: int, in_flight: int, **settings: Any) -> float:
    """Generate so many dialogues and return the seconds it took."""
    settings = {
        **settings,
        "chunk_size": method.chunk_size or math.ceil(calls / method.workers),
        "workers": method.workers,
        "limits": {"concurrency": in_flight * method.workers},
    }
    rollout = Single(made_up_briefs.render)
    work = Work(made_up_briefs.ids(calls), made_up_briefs.fetch, rollout, "small")
    generate = Generate(**settings)
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder) / "b.duckdb") as con:
        journals = Path(folder) / "journals"
        began = time.perf_counter()
        if method.submit is None:
            counts = asyncio.run(generate_transcripts(con, work, generate, journals, "bench"))
        else:
            with method.submit() as submit:
                executor = JobExecutor(con, generate, rollout, submit)
                counts = asyncio.run(
                    generate_transcripts(con, work, generate, journals, "bench", executor=executor)
                )
        assert counts.answered == calls
        return time.perf_counter() - began


def server_rate(
    method: Method, server: ModelServer, calls: int, in_flight: int, latency_s: float
) -> float:
    """Return the answers a second that the mock server gave."""
    server.reset()
    run_method(method, calls, in_flight, model="openai/gpt-4o-mini", api_base=server.address)
    times = server.tally()["admitted_at"]
    assert len(times) == calls
    return calls / (times[-1] - times[0] + latency_s)


def measure(title: str, rounds: int, rate: Callable[[Method], float]) -> None:
    """Run all methods in turn, several rounds, and print the median rates."""
    rates: dict[str, list[float]] = {method.name: [] for method in METHODS}
    for _ in range(rounds):
        for method in METHODS:
            rates[method.name].append(rate(method))
    print(f"{title}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    ours = median(rates["our workers"])
    for name, values in rates.items():
        each = " ".join(f"{value:.0f}" for value in values)
        share_of_ours = median(values) / ours
        print(f"  {name:40} {median(values):6.1f}/s ({each}) {share_of_ours:6.1%} of our workers")


def main() -> None:
    """Measure against the server, then with the mock model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--mock-model-calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--in-flight", type=int, default=DEFAULT_IN_FLIGHT)
    chosen = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "sk-benchmark")
    with model_server(latency_s=chosen.latency) as server:
        measure(
            f"{chosen.calls} calls, {chosen.latency} s latency, {chosen.in_flight} in flight each",
            chosen.rounds,
            lambda method: server_rate(
                method, server, chosen.calls, chosen.in_flight, chosen.latency
            ),
        )
    measure(
        f"{chosen.mock_model_calls} calls of the mock model, start-up included",
        chosen.rounds,
        lambda method: (
            chosen.mock_model_calls / run_method(method, chosen.mock_model_calls, chosen.in_flight)
        ),
    )


if __name__ == "__main__":
    main()
