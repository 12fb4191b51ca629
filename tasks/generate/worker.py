"""A worker process: `python -m tasks.generate.worker FD`.

It sends requests and writes journals, and never opens the warehouse.

It ends when its owner does: an end of file on the socket is the owner's death, and what it had
    acknowledged is in its journals.
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

from tasks.generate import worker_messages
from tasks.generate.chunk import Chunk, run_chunk
from tasks.llm import Answer, Budget, RunStopped, Session, StoredAnswers

TICK_S = 0.25  # between two reports of what was used


class RemoteBudget(Budget):
    """The owner's budget, kept by asking: one small message before a call and one after it."""

    def __init__(self, limit: float | None, worker: Worker) -> None:
        super().__init__(limit)
        self._worker = worker

    async def reserve(self, dollars: float) -> None:
        """Have the owner set aside what a call is expected to cost. Raises RunStopped."""
        if self.limit is not None:
            reply = await self._worker.ask(
                lambda number: worker_messages.ReserveBudget(number, dollars)
            )
            if reply.refusal:
                raise RunStopped("budget", reply.refusal)

    def settle(self, reserved: float, spent: float) -> None:
        """Tell the owner what a call cost."""
        if self.limit is not None:
            self._worker.tell(worker_messages.SettleBudget(reserved, spent))


class Worker:
    """The worker's end of the wire."""

    def __init__(
        self, ends: worker_messages.MessageStream, start: worker_messages.StartWorker
    ) -> None:
        self._wire, self._start = ends, start
        self._numbers = count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        answers = StoredAnswers(start.index, self._find)
        self.session = Session(
            start.generate, answers, RemoteBudget(start.budget_usd, self), start.run_id
        )

    async def ask(self, message: Any) -> Any:
        """Send a numbered question, made by `message(number)`, and return the reply to it."""
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        self.tell(message(number))
        return await reply

    def tell(self, message: Any) -> None:
        """Send what needs no reply."""
        self._wire.send(message)

    async def listen(self) -> None:
        """Do what the owner says, until it is gone."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            while True:
                message = await self._wire.receive()
                if isinstance(message, worker_messages.RunChunk):
                    group.create_task(self._run(message.chunk))
                elif isinstance(message, worker_messages.StopWorker):
                    self.session.stop(message.reason)
                else:
                    self._replies.pop(message.number).set_result(message)

    async def _find(self, keys: list[str]) -> Mapping[str, Answer]:
        found = await self.ask(lambda number: worker_messages.FindAnswers(number, tuple(keys)))
        answers: Mapping[str, Answer] = found.answers
        return answers

    async def _run(self, chunk: Chunk) -> None:
        result = await run_chunk(self.session, chunk, self._start.rollout)
        self._tell_usage()
        self.tell(worker_messages.ChunkDone(result))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._tell_usage()

    def _tell_usage(self) -> None:
        self.tell(
            worker_messages.UsageReport(
                self.session.meter.usage, self.session.limiter.window.in_flight
            )
        )


async def work(connected: socket.socket) -> None:
    """Serve the owner at the other end of a socket; the process ends with it."""
    ends = await worker_messages.MessageStream.over(connected)
    worker = Worker(ends, await ends.receive())
    try:
        await worker.listen()
    except* EOFError:
        os._exit(0)  # at once: calls in flight would be paid for and heard by nobody


if __name__ == "__main__":
    # Ctrl-C reaches the whole terminal and a service's stop all its processes; the owner decides
    # and closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asyncio.run(work(socket.socket(fileno=int(sys.argv[1]))))
