"""Chunks on a Dask cluster (extra: dask).

Workers send requests and write journals; this process alone opens the warehouse.

Workers on other machines must see the data folder under the same path, for their journals, or all
reach a store that `generate.journals` names. A chunk that loses its worker is given to another,
which takes the answers in the dead worker's journal and asks for the rest.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.settings import get_current_settings

from flows.dask_address import (
    CONNECT_S,
    check_address,
    check_api_reachable,
    check_installed,
    find_workers,
    local_processes,
)
from tasks.errors import UserError
from tasks.generate import (
    Chunk,
    ChunkJob,
    ChunkResult,
    Rollout,
    generate_chunk,
    make_job,
    share,
    spent,
)
from tasks.llm import JournalStore, RunStopped, Usage, usable_entries
from tasks.settings import Generate
from tasks.warehouse import Connection


@task(cache_policy=NO_CACHE, persist_result=False)
def _write_chunk(packed: bytes) -> ChunkResult:
    job: ChunkJob = pickle.loads(packed)
    return write_chunk(job)


def write_chunk(job: ChunkJob) -> ChunkResult:
    """Write a chunk's dialogues in this process.

    It goes on where a worker that was lost with the same chunk has ended.
    """
    journal = job.chunk.journal
    with TemporaryDirectory() as aside:
        left = _left_journals(job.chunk, Path(aside))
        known = {
            entry.answer.request_key: entry.answer
            for path in left
            for entry in usable_entries(path)
        }
    if left:
        chunk = replace(job.chunk, journal=journal.with_stem(f"{journal.stem}-{len(left)}"))
        job = replace(job, chunk=chunk, stored={**job.stored, **known})
    return asyncio.run(generate_chunk(job))


def _left_journals(chunk: Chunk, aside: Path) -> list[Path]:
    """Return the journals of workers that had the chunk before; a store's are copied aside."""
    journal = chunk.journal
    if chunk.store:
        return JournalStore(chunk.store).fetch(aside, journal.stem, remove=False)
    return sorted(journal.parent.glob(f"{journal.stem}*{journal.suffix}"))


class DaskCrew:
    """Runs chunks as Prefect tasks on a Dask cluster."""

    def __init__(
        self,
        con: Connection,
        generate: Generate,
        rollout: Rollout,
        run_id: str,
        runner: Any,
        name: str,
    ) -> None:
        """Work with a started task runner; `name` begins the tasks' names."""
        workers = max(1, len(runner.client.scheduler_info()["workers"]))
        self.slots = workers + 1  # one chunk waits at the cluster, so that no worker idles
        self._con, self._rollout, self._run_id, self._runner, self._name = (
            con,
            rollout,
            run_id,
            runner,
            name,
        )
        self._share = generate.model_copy(update={"limits": share(generate.limits, workers)})
        limits = generate.limits
        self._limit, self._spent, self._lent = (
            limits.budget_usd,
            spent(con, run_id, limits.budget_scope),
            0.0,
        )
        self._usage = Usage()
        self._given = 0

    @property
    def usage(self) -> Usage:
        """What the chunks that came back have used."""
        return self._usage

    @property
    def in_flight(self) -> int:
        """Dialogues that are with the workers now."""
        return self._given

    async def run(self, chunk: Chunk) -> ChunkResult:
        """Run one chunk on some worker.

        The budget is lent out in equal parts, so it may end with a part unspent, never overspent.
        """
        loan = self._lend()
        limits = self._share.limits.model_copy(update={"budget_usd": loan})
        job = make_job(
            self._con,
            chunk,
            self._rollout,
            self._share.model_copy(update={"limits": limits}),
            self._run_id,
        )
        named = _write_chunk.with_options(
            name="chunk", task_run_name=f"{self._name}-chunk-{chunk.number:05}"
        )
        packed = pickle.dumps(job)  # so that neither Prefect nor Dask walks through its briefs
        self._given += len(chunk.briefs)
        # Of a chunk that is lost: it may have spent all that it was lent.
        usage = Usage(cost_usd=loan or 0.0)
        try:
            future = self._runner.submit(named, parameters={"packed": packed})
            result: ChunkResult = await asyncio.to_thread(_result_of, future)
            usage = result.usage
        finally:
            self._given -= len(chunk.briefs)
            self._settle(loan, usage)
        return replace(result, stopped=self._told(result.stopped))

    @property
    def paused_s(self) -> float:
        """Seconds for which nothing is sent: not known, each chunk has its share of the limits."""
        return 0.0

    def stop(self, reason: RunStopped) -> None:
        """Do nothing: chunks at the cluster end by themselves; the next run loads journals."""

    async def close(self) -> None:
        """Leave the runner to its owner."""

    def _lend(self) -> float | None:
        if self._limit is None:
            return None
        loan = max(0.0, self._limit - self._spent - self._lent) / self.slots
        self._lent += loan
        return loan

    def _settle(self, loan: float | None, usage: Usage) -> None:
        self._usage = self._usage + usage
        self._spent += usage.cost_usd
        self._lent -= loan or 0.0

    def _told(self, stopped: RunStopped | UserError | None) -> RunStopped | UserError | None:
        """Return the end of a loan as the end of the budget it was part of."""
        if isinstance(stopped, RunStopped) and stopped.reason == "budget":
            return RunStopped(
                "budget",
                f"the budget of ${self._limit:g} is spent or lent to workers in parts; "
                "raise it to go on",
            )
        return stopped


def _result_of(future: Any) -> ChunkResult:
    """Wait for a chunk's result.

    Raises RunStopped when the cluster lost it: its workers kept dying, or the scheduler is gone.
    """
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        result: ChunkResult = future.result()
    except (CancelledError, KilledWorker, CommClosedError) as error:
        reason = (
            f"the Dask cluster lost a chunk ({type(error).__name__}); "
            "nothing paid is lost, run again to go on"
        )
        raise RunStopped("worker", reason) from None
    return result


class Cluster:
    """A Dask cluster, started or reached when the first chunk needs it; a context manager."""

    def __init__(self, address: str) -> None:
        """Take a scheduler's address, or local:N for N worker processes; nothing is started yet.

        Raises:
            UserError: that is no address, the extra is not installed, or no Prefect API is there
                for the workers.
        """
        check_address(address)
        if not get_current_settings().api.url:
            raise UserError(
                "Dask workers would each start a Prefect server: "
                "set PREFECT_API_URL to one that they all reach"
            )
        check_installed()
        self._address = address
        self._stack = ExitStack()
        self._runner: Any = None

    def executor(
        self, con: Connection, generate: Generate, rollout: Rollout, run_id: str, name: str
    ) -> DaskCrew:
        """Return an executor for one stage.

        Raises UserError when the cluster cannot be reached, or in batch mode.
        """
        if generate.mode == "batch":
            raise UserError("--mode batch cannot be combined with --dask: leave out one of them")
        if self._runner is None:
            self._runner = self._stack.enter_context(_started(self._address))
        return DaskCrew(con, generate, rollout, run_id, self._runner, name)

    def __enter__(self) -> Cluster:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the cluster; processes of its own end."""
        self._stack.close()


@contextmanager
def _started(address: str) -> Iterator[Any]:
    """Start processes of our own, or connect to a scheduler, for the length of the block.

    Raises UserError.
    """
    logging.getLogger("distributed").setLevel(logging.WARNING)
    # A scheduler that is gone is reported by the run itself.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        try:
            runner = stack.enter_context(_runner(address))
            _ = runner.client  # connects
        except (OSError, TimeoutError) as error:
            raise UserError(f"the Dask cluster {address} cannot be reached: {error}") from None
        yield runner


def _runner(address: str) -> Any:
    from prefect_dask.task_runners import DaskTaskRunner

    processes = local_processes(address)
    if processes is not None:
        own = {
            "n_workers": processes,
            "threads_per_worker": 1,
            "processes": True,
            "dashboard_address": None,
        }
        return DaskTaskRunner(cluster_kwargs=own)
    check_api_reachable(get_current_settings().api.url or "", find_workers(address))
    return DaskTaskRunner(address=address, client_kwargs={"timeout": CONNECT_S})
