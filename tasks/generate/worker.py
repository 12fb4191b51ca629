"""A worker process: `python -m tasks.generate.worker FD`.

It sends requests and writes journals, and never opens the warehouse. It ends when its parent does:
an end of file on the socket is the parent's death, and what the worker acknowledged by then is in
its journals.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from itertools import count
from typing import Any

from tasks.generate.chunk import Chunk, run_chunk
from tasks.generate.worker_messages import (
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
from tasks.llm import Answer, Budget, RunStopped, Session, StoredAnswers

TICK_S = 0.25  # between two reports of what was used


class RemoteBudget(Budget):
    """The parent's budget: one small message before each call and one after it."""

    def __init__(self, limit: float | None, worker: Worker) -> None:
        super().__init__(limit)
        self._worker = worker

    async def reserve(self, dollars: float) -> None:
        """Have the parent reserve what a call should cost. Raises RunStopped."""
        if self.limit is None:
            return
        reply = await self._worker.ask(lambda number: ReserveBudget(number, dollars))
        if reply.refusal:
            raise RunStopped("budget", reply.refusal)

    def settle(self, reserved: float, spent: float) -> None:
        """Report to the parent what a call cost."""
        if self.limit is not None:
            self._worker.send(SettleBudget(reserved, spent))


class Worker:
    """The worker's end of the socket."""

    def __init__(self, stream: MessageStream, start: StartWorker) -> None:
        self._stream, self._start = stream, start
        self._numbers = count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        answers = StoredAnswers(start.index, self._find)
        budget = RemoteBudget(start.budget_usd, self)
        self.session = Session(
            start.generate, answers, budget, start.run_id, start.rollout.read_problem
        )

    async def ask(self, message: Any) -> Any:
        """Send a numbered message, made by `message(number)`, and return the reply to it."""
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        self.send(message(number))
        return await reply

    def send(self, message: Any) -> None:
        """Send what needs no reply."""
        self._stream.send(message)

    async def listen(self) -> None:
        """Handle the parent's messages until it is gone. Raises EOFError in an exception group."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            while True:
                message = await self._stream.receive()
                if isinstance(message, RunChunk):
                    group.create_task(self._run(message.chunk))
                elif isinstance(message, StopWorker):
                    self.session.stop(message.reason)
                else:
                    self._replies.pop(message.number).set_result(message)

    async def _find(self, keys: list[str]) -> Mapping[str, Answer]:
        reply = await self.ask(lambda number: FindAnswers(number, tuple(keys)))
        answers: Mapping[str, Answer] = reply.answers
        return answers

    async def _run(self, chunk: Chunk) -> None:
        result = await run_chunk(self.session, chunk, self._start.rollout)
        self._send_usage()
        self.send(ChunkDone(result))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._send_usage()

    def _send_usage(self) -> None:
        session = self.session
        self.send(UsageReport(session.meter.usage, session.limiter.window.in_flight))


async def work(connected: socket.socket) -> None:
    """Serve the parent at the other end of a socket; the process ends with it."""
    stream = await MessageStream.over(connected)
    worker = Worker(stream, await stream.receive())
    try:
        await worker.listen()
    except* EOFError:
        os._exit(0)  # at once: further calls would be paid for and stored by no process


if __name__ == "__main__":
    # Ctrl-C reaches every process of a terminal, and a service's stop all its processes; the parent
    # decides, and closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asyncio.run(work(socket.socket(fileno=int(sys.argv[1]))))
