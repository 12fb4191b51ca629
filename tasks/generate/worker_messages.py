"""Messages between a run's parent process and its workers: pickled frames over a socket.

Each frame begins with its length. The socket joins a process to the child that it started itself,
so its pickles are as trustworthy as its own memory.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.errors import UserError
from tasks.generate.chunk import Chunk, ChunkResult
from tasks.generate.rollouts import Rollout
from tasks.llm import Answer, KeyIndex, RunStopped, Usage
from tasks.settings import Generate

_LENGTH_BYTES = 8


@dataclass(frozen=True)
class StartWorker:
    """Parent to worker, as the first message: what to work with.

    `budget_usd` only shows whether there is a budget; the parent keeps it.
    """

    generate: Generate
    rollout: Rollout
    run_id: str
    index: KeyIndex
    budget_usd: float | None


@dataclass(frozen=True)
class RunChunk:
    """Parent to worker: run a chunk."""

    chunk: Chunk


@dataclass(frozen=True)
class StopWorker:
    """Parent to worker: send no more requests."""

    reason: RunStopped | UserError


@dataclass(frozen=True)
class ChunkDone:
    """Worker to parent: a chunk has ended."""

    result: ChunkResult


@dataclass(frozen=True)
class UsageReport:
    """Worker to parent, a few times a second: what was used so far."""

    usage: Usage
    in_flight: int


@dataclass(frozen=True)
class FindAnswers:
    """Worker to parent: return the stored answers to these requests.

    Answered by `AnswersFound` with the same number.
    """

    number: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class AnswersFound:
    """Parent to worker: the stored answers, by request key."""

    number: int
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class ReserveBudget:
    """Worker to parent: reserve so many dollars for a call.

    Answered by `BudgetReserved` with the same number.
    """

    number: int
    dollars: float


@dataclass(frozen=True)
class BudgetReserved:
    """Parent to worker: the dollars are reserved, or the reason why they are not."""

    number: int
    refusal: str = ""


@dataclass(frozen=True)
class SettleBudget:
    """Worker to parent: what was reserved for a call, and what it cost."""

    reserved: float
    spent: float


class MessageStream:
    """One end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, connected: socket.socket) -> MessageStream:
        """Return the stream over a connected socket."""
        return cls(*await asyncio.open_connection(sock=connected))

    def send(self, message: Any) -> None:
        """Send one message without waiting; it is dropped when the other end is gone."""
        if self._writer.is_closing():
            return
        frame = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)

    async def receive(self) -> Any:
        """Wait for the next message. Raises EOFError when the other end is gone."""
        try:
            size = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
            return pickle.loads(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            raise EOFError from None

    def close(self) -> None:
        """Close this end."""
        self._writer.close()
