"""Several processes run the chunks: each its own litellm, journals and share of the limits; the store stays with the owner."""

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
from tasks.generate import worker_messages
from tasks.generate.chunk import Chunk, ChunkResult
from tasks.generate.executor import slots
from tasks.generate.rollouts import Rollout
from tasks.llm import Budget, KeyIndex, RunStopped, Usage, answers_by_key
from tasks.settings import PROJECT, Generate, Limits

PATIENCE_S = 5.0  # for a worker to end once its socket is closed


def share(limits: Limits, workers: int) -> Limits:
    """Return one worker's share of the limits. The budget is not split: the owner keeps it for all."""

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
    """One worker process, seen from its owner."""

    def __init__(
        self, process: subprocess.Popen[bytes], ends: worker_messages.MessageStream
    ) -> None:
        self.process = process
        self.wire = ends
        self.usage = Usage()
        self.in_flight = 0
        self.running: dict[int, asyncio.Future[ChunkResult]] = {}
        self.listening: asyncio.Task[None] | None = None
        self.reserved = 0.0  # dollars set aside for calls of this process that are in flight
        self.is_lost = False

    def lost(self) -> None:
        """Tell everybody who waits that the process is gone."""
        self.is_lost = True
        code = self.process.poll()
        for waiting in self.running.values():
            if not waiting.done():
                waiting.set_exception(
                    RunStopped(
                        "worker",
                        f"a worker process ended unexpectedly (exit code {code}); nothing paid is lost, run again to go on",
                    )
                )


class WorkerPoolExecutor:
    """Runs chunks in several processes."""

    def __init__(self, con: duckdb.DuckDBPyConnection, generate: Generate, budget: Budget) -> None:
        self._con = con
        self._budget = budget
        self._shared = generate.model_copy(
            update={"limits": share(generate.limits, generate.workers)}
        )
        self._colleagues: list[WorkerHandle] = []
        self._asking: set[asyncio.Task[None]] = set()
        self.slots = generate.workers * slots(self._shared)

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
        crew = cls(con, generate, budget)
        greeting = worker_messages.StartWorker(
            crew._shared, rollout, run_id, KeyIndex.of_store(con), budget.limit
        )
        for _ in range(generate.workers):
            colleague = await _spawn_worker()
            crew._colleagues.append(colleague)
            colleague.wire.send(greeting)
            colleague.listening = asyncio.create_task(crew._listen(colleague))
        return crew

    @property
    def usage(self) -> Usage:
        """What was used so far, by all of them."""
        return sum((colleague.usage for colleague in self._colleagues), Usage())

    @property
    def in_flight(self) -> int:
        """Calls on their way, of all of them."""
        return sum(colleague.in_flight for colleague in self._colleagues)

    async def run(self, chunk: Chunk) -> ChunkResult:
        """Give a chunk to the least busy worker. Raises RunStopped when that process dies."""
        colleague = min(self._colleagues, key=lambda one: len(one.running))
        if colleague.listening is None or colleague.listening.done():
            raise RunStopped(
                "worker", "a worker process is gone; nothing paid is lost, run again to go on"
            )
        waiting = colleague.running[chunk.number] = asyncio.get_running_loop().create_future()
        colleague.wire.send(worker_messages.RunChunk(chunk))
        try:
            result: ChunkResult = await waiting
        finally:
            del colleague.running[chunk.number]
        if result.stopped is not None:
            self.stop(result.stopped)
        return result

    async def close(self) -> None:
        """Close the sockets; each process ends by itself, or is ended."""
        for colleague in self._colleagues:
            if colleague.listening is not None:
                colleague.listening.cancel()
            colleague.wire.close()
        for colleague in self._colleagues:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(colleague.process.wait, PATIENCE_S)
            colleague.process.kill()
            colleague.process.wait()

    @property
    def paused_s(self) -> float:
        """Seconds for which nothing is sent: not known here, each process has its share of the limits."""
        return 0.0

    def stop(self, reason: RunStopped | UserError) -> None:
        """Let nothing more be sent, by any process; calls in flight run to their end."""
        for colleague in self._colleagues:
            colleague.wire.send(worker_messages.StopWorker(reason))

    async def _listen(self, colleague: WorkerHandle) -> None:
        """Hear a worker out.

        However this ends, nobody goes on waiting for it and its reservations are given up.
        """
        try:
            while True:
                self._heard(colleague, await colleague.wire.receive())
        except EOFError:
            pass  # the process is gone
        finally:
            colleague.lost()
            self._release(colleague)

    def _heard(self, colleague: WorkerHandle, message: Any) -> None:
        if isinstance(message, worker_messages.UsageReport):
            colleague.usage, colleague.in_flight = message.usage, message.in_flight
        elif isinstance(message, worker_messages.ChunkDone):
            colleague.running[message.result.number].set_result(message.result)
        elif isinstance(message, worker_messages.FindAnswers):
            colleague.wire.send(
                worker_messages.AnswersFound(
                    message.number, answers_by_key(self._con, message.keys)
                )
            )
        elif isinstance(message, worker_messages.ReserveBudget):
            asking = asyncio.create_task(self._hold(colleague, message))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        elif isinstance(message, worker_messages.SettleBudget):
            colleague.reserved -= message.held
            self._budget.settle(message.held, message.spent)

    def _release(self, colleague: WorkerHandle) -> None:
        """Give up what a lost process had reserved, as spent: its calls in flight may be billed, and nobody will say so."""
        reserved, colleague.reserved = max(0.0, colleague.reserved), 0.0
        self._budget.settle(reserved, reserved)

    async def _hold(self, colleague: WorkerHandle, message: worker_messages.ReserveBudget) -> None:
        try:
            await self._budget.reserve(message.dollars)
        except RunStopped as spent:
            colleague.wire.send(worker_messages.BudgetReserved(message.number, str(spent)))
            return
        if colleague.is_lost:  # it died while it waited, so it sent nothing
            self._budget.settle(message.dollars, 0.0)
            return
        colleague.reserved += message.dollars
        colleague.wire.send(worker_messages.BudgetReserved(message.number))


async def _spawn_worker() -> WorkerHandle:
    ours, theirs = socket.socketpair()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
    }
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.generate.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    return WorkerHandle(process, await worker_messages.MessageStream.over(ours))
