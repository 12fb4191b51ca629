"""Runs chunks in several processes on this machine; the warehouse stays with the parent.

Each worker has its own litellm, its own journals and its share of the limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.generate.chunk import Chunk, ChunkResult
from tasks.generate.executor import slots
from tasks.generate.rollouts import Rollout
from tasks.generate.worker_messages import (
    AnswersFound,
    BudgetReserved,
    ChunkDone,
    FindAnswers,
    MessageStream,
    ReserveBudget,
    RunChunk,
    SettleBudget,
    StartWorker,
    StopWorker,
    UsageReport,
)
from tasks.llm import Budget, KeyIndex, RunStopped, Usage, answers_by_key
from tasks.settings import PROJECT, Generate, Limits

PATIENCE_S = 5.0  # for a worker to end once its socket is closed


def share(limits: Limits, workers: int) -> Limits:
    """Return one worker's share of the limits, without a budget: the parent keeps it for all."""

    def part(whole: int | None) -> int | None:
        return None if whole is None else max(1, whole // workers)

    return limits.model_copy(
        update={
            "rpm": part(limits.rpm),
            "tpm": part(limits.tpm),
            "concurrency": max(1, limits.concurrency // workers),
            "budget_usd": None,
        }
    )


class WorkerHandle:
    """One worker process, as its parent knows it."""

    def __init__(self, process: subprocess.Popen[bytes], stream: MessageStream) -> None:
        self.process = process
        self.stream = stream
        self.usage = Usage()
        self.in_flight = 0
        self.running: dict[int, asyncio.Future[ChunkResult]] = {}
        self.listening: asyncio.Task[None] | None = None
        self.reserved = 0.0  # dollars, for calls of this process that are in flight
        self.is_lost = False

    def lost(self) -> None:
        """End the waiting for the chunks of a process that is gone."""
        self.is_lost = True
        code = self.process.poll()
        for waiting in self.running.values():
            if not waiting.done():
                waiting.set_exception(
                    _worker_lost(f"a worker process ended unexpectedly (exit code {code})")
                )


def _worker_lost(what: str) -> RunStopped:
    return RunStopped("worker", f"{what}; nothing paid is lost, run again to go on")


class WorkerPoolExecutor:
    """Runs chunks in several processes."""

    def __init__(self, con: duckdb.DuckDBPyConnection, generate: Generate, budget: Budget) -> None:
        self._con = con
        self._budget = budget
        limits = share(generate.limits, generate.workers)
        self._generate = generate.model_copy(update={"limits": limits})  # of one worker
        self._workers: list[WorkerHandle] = []
        self._reservations: set[asyncio.Task[None]] = set()
        self.slots = generate.workers * slots(self._generate)

    @classmethod
    async def start(
        cls,
        con: duckdb.DuckDBPyConnection,
        generate: Generate,
        rollout: Rollout,
        budget: Budget,
        run_id: str,
    ) -> WorkerPoolExecutor:
        """Start `generate.workers` processes."""
        pool = cls(con, generate, budget)
        index = KeyIndex.of_store(con)
        message = StartWorker(pool._generate, rollout, run_id, index, budget.limit)
        for _ in range(generate.workers):
            worker = await _spawn_worker()
            pool._workers.append(worker)
            worker.stream.send(message)
            worker.listening = asyncio.create_task(pool._listen(worker))
        return pool

    @property
    def usage(self) -> Usage:
        """What all workers used so far."""
        return sum((worker.usage for worker in self._workers), Usage())

    @property
    def in_flight(self) -> int:
        """Calls in flight of all workers."""
        return sum(worker.in_flight for worker in self._workers)

    @property
    def paused_s(self) -> float:
        """Always 0: each process has its own limiter, and its pauses are not known here."""
        return 0.0

    async def run(self, chunk: Chunk) -> ChunkResult:
        """Run a chunk on the least busy worker. Raises RunStopped when that process dies."""
        worker = min(self._workers, key=lambda one: len(one.running))
        if worker.listening is None or worker.listening.done():
            raise _worker_lost("a worker process is gone")
        waiting = asyncio.get_running_loop().create_future()
        worker.running[chunk.number] = waiting
        worker.stream.send(RunChunk(chunk))
        try:
            result: ChunkResult = await waiting
        finally:
            del worker.running[chunk.number]
        if result.stopped is not None:
            self.stop(result.stopped)
        return result

    def stop(self, reason: RunStopped | UserError) -> None:
        """Let no process send anything more; calls in flight run to their end."""
        for worker in self._workers:
            worker.stream.send(StopWorker(reason))

    async def close(self) -> None:
        """Close the sockets; a process that does not end by itself is killed."""
        for worker in self._workers:
            if worker.listening is not None:
                worker.listening.cancel()
            worker.stream.close()
        for worker in self._workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(worker.process.wait, PATIENCE_S)
            worker.process.kill()
            worker.process.wait()

    async def _listen(self, worker: WorkerHandle) -> None:
        """Handle a worker's messages until it is gone.

        However this ends, no chunk goes on waiting for it and its reservations are settled.
        """
        try:
            while True:
                self._handle(worker, await worker.stream.receive())
        except EOFError:
            pass  # the process is gone
        finally:
            worker.lost()
            self._settle_lost(worker)

    def _handle(self, worker: WorkerHandle, message: Any) -> None:
        match message:
            case UsageReport(usage, in_flight):
                worker.usage, worker.in_flight = usage, in_flight
            case ChunkDone(result):
                worker.running[result.number].set_result(result)
            case FindAnswers(number, keys):
                worker.stream.send(AnswersFound(number, answers_by_key(self._con, keys)))
            case ReserveBudget():
                task = asyncio.create_task(self._reserve(worker, message))
                self._reservations.add(task)
                task.add_done_callback(self._reservations.discard)
            case SettleBudget(reserved, spent):
                worker.reserved -= reserved
                self._budget.settle(reserved, spent)

    async def _reserve(self, worker: WorkerHandle, message: ReserveBudget) -> None:
        try:
            await self._budget.reserve(message.dollars)
        except RunStopped as refusal:
            worker.stream.send(BudgetReserved(message.number, str(refusal)))
            return
        if worker.is_lost:  # it died while it waited, so it sent nothing
            self._budget.settle(message.dollars, 0.0)
            return
        worker.reserved += message.dollars
        worker.stream.send(BudgetReserved(message.number))

    def _settle_lost(self, worker: WorkerHandle) -> None:
        """Count what a lost process had reserved as spent: its calls in flight may be billed."""
        reserved, worker.reserved = max(0.0, worker.reserved), 0.0
        self._budget.settle(reserved, reserved)


async def _spawn_worker() -> WorkerHandle:
    ours, theirs = socket.socketpair()
    path = [str(PROJECT), os.environ.get("PYTHONPATH")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.generate.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    return WorkerHandle(process, await MessageStream.over(ours))
