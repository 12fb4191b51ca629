"""A worker process: `python -m tasks.generate.worker FD`. It sends requests and writes journals, and never opens the warehouse.

It ends when its owner does: an end of file on the socket is the owner's death, and what it had acknowledged is in its journals.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from itertools import count
from typing import Any

from tasks.generate import wire
from tasks.generate.chunk import Chunk, run_chunk
from tasks.llm import Answer, Budget, Session, StoredAnswers

TICK_S = 0.25  # between two reports of what was used
TRANCHE = 8  # a loan covers so many calls, so that little is left unspent when the budget ends


class LentBudget(Budget):
    """A budget that asks its owner for more."""

    def __init__(self, lent: float | None, worker: Worker) -> None:
        super().__init__(lent)
        self._worker = worker
        self._refusal = ""
        self._asking = asyncio.Lock()

    async def extend(self, dollars: float) -> bool:
        """Ask the owner for at least so much more."""
        async with self._asking:
            if self.limit is None or self.spent + self.held + dollars <= self.limit:
                return True
            if self._refusal:
                return False
            missing = self.spent + self.held + dollars - self.limit
            lent = await self._worker.ask(lambda number: wire.Lend(number, missing + TRANCHE * dollars, missing))
            self.limit += lent.dollars
            self._refusal = lent.reason
            return bool(lent.dollars)

    def exhausted(self) -> str:
        """Say that the budget is spent, in the owner's words."""
        return self._refusal or super().exhausted()


class Worker:
    """The worker's end of the wire."""

    def __init__(self, ends: wire.Wire, start: wire.Start) -> None:
        self._wire, self._start = ends, start
        self._numbers = count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        answers = StoredAnswers(start.index, self._find)
        self.session = Session(start.generate, answers, LentBudget(start.lent_usd, self), start.run_id)

    async def ask(self, message: Any) -> Any:
        """Send a numbered question, made by `message(number)`, and return the reply to it."""
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        self._wire.send(message(number))
        return await reply

    async def listen(self) -> None:
        """Do what the owner says, until it is gone."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            while True:
                message = await self._wire.receive()
                if isinstance(message, wire.Run):
                    group.create_task(self._run(message.chunk))
                elif isinstance(message, wire.Stop):
                    self.session.stop(message.reason)
                else:
                    self._replies.pop(message.number).set_result(message)

    async def _find(self, keys: list[str]) -> Mapping[str, Answer]:
        found = await self.ask(lambda number: wire.Find(number, tuple(keys)))
        answers: Mapping[str, Answer] = found.answers
        return answers

    async def _run(self, chunk: Chunk) -> None:
        result = await run_chunk(self.session, chunk, self._start.rollout)
        self._tell()
        self._wire.send(wire.Done(result))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._tell()

    def _tell(self) -> None:
        self._wire.send(wire.Spent(self.session.meter.usage, self.session.limiter.window.in_flight))


async def work(connected: socket.socket) -> None:
    """Serve the owner at the other end of a socket; the process ends with it."""
    ends = await wire.Wire.over(connected)
    worker = Worker(ends, await ends.receive())
    try:
        await worker.listen()
    except* EOFError:
        os._exit(0)  # at once: calls in flight would be paid for and heard by nobody


if __name__ == "__main__":
    asyncio.run(work(socket.socket(fileno=int(sys.argv[1]))))
