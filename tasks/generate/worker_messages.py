"""What the owner and its worker processes say to each other, over a socket: pickled frames, each with its length before it.

The socket joins a process to the child it started itself, so its pickles are as trustworthy as its
own memory.
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

_HEAD = 8  # bytes of a frame's length


@dataclass(frozen=True)
class StartWorker:
    """Owner to worker, first of all: what to work with.

    `budget_usd` only tells whether there is one; the owner keeps it.
    """

    generate: Generate
    rollout: Rollout
    run_id: str
    index: KeyIndex
    budget_usd: float | None


@dataclass(frozen=True)
class RunChunk:
    """Owner to worker: work on a chunk."""

    chunk: Chunk


@dataclass(frozen=True)
class StopWorker:
    """Owner to worker: send nothing more."""

    reason: RunStopped | UserError


@dataclass(frozen=True)
class ChunkDone:
    """Worker to owner: a chunk has ended."""

    result: ChunkResult


@dataclass(frozen=True)
class UsageReport:
    """Worker to owner, now and then: what was used so far."""

    usage: Usage
    in_flight: int


@dataclass(frozen=True)
class FindAnswers:
    """Worker to owner: which of these requests are in the store.

    Answered by `Found` with the same number.
    """

    number: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class AnswersFound:
    """Owner to worker: the answers that are."""

    number: int
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class ReserveBudget:
    """Worker to owner: set so many dollars aside for a call.

    Answered by `Held` with the same number.
    """

    number: int
    dollars: float


@dataclass(frozen=True)
class BudgetReserved:
    """Owner to worker: they are set aside, or the budget is spent, for this reason."""

    number: int
    refusal: str = ""


@dataclass(frozen=True)
class SettleBudget:
    """Worker to owner: what was set aside for a call, and what it cost."""

    held: float
    spent: float


class MessageStream:
    """One end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, connected: socket.socket) -> MessageStream:
        """Take over a connected socket."""
        return cls(*await asyncio.open_connection(sock=connected))

    def send(self, message: Any) -> None:
        """Send one message, without waiting; to nobody when the other end is gone."""
        if self._writer.is_closing():
            return
        frame = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(len(frame).to_bytes(_HEAD, "big") + frame)

    async def receive(self) -> Any:
        """Wait for the next message. Raises EOFError when the other end is gone."""
        try:
            size = int.from_bytes(await self._reader.readexactly(_HEAD), "big")
            return pickle.loads(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            raise EOFError from None

    def close(self) -> None:
        """Close this end."""
        self._writer.close()
