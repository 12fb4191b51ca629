"""What runs chunks: the protocol, and the executor in this process."""

from __future__ import annotations

import math
from typing import Protocol

from tasks.generate.chunk import AHEAD, Chunk, ChunkResult, run_chunk
from tasks.generate.rollouts import Rollout
from tasks.llm import RunStopped, Session, Usage
from tasks.settings import Generate

BATCH_SLOTS = 4  # chunks whose requests may share a batch


class ChunkExecutor(Protocol):
    """Runs chunks.

    `slots` is how many it takes at a time, so that it stays busy while one of them ends.
    """

    slots: int

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        ...

    @property
    def in_flight(self) -> int:
        """Calls in flight now."""
        ...

    async def run(self, chunk: Chunk) -> ChunkResult:
        """Run one chunk to its end. Raises RunStopped when the process that ran it is gone."""
        ...

    @property
    def paused_s(self) -> float:
        """Seconds for which nothing is sent, because the provider asked for a pause."""
        ...

    def stop(self, reason: RunStopped) -> None:
        """Let nothing more be sent; calls in flight run to their end."""
        ...

    async def close(self) -> None:
        """Stop what was started."""
        ...


class InProcessExecutor:
    """Runs chunks in this process, all through one session."""

    def __init__(self, session: Session, rollout: Rollout) -> None:
        self._session = session
        self._rollout = rollout
        self.slots = slots(session.generate)

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        return self._session.meter.usage

    @property
    def in_flight(self) -> int:
        """Calls in flight now."""
        return self._session.limiter.window.in_flight

    async def run(self, chunk: Chunk) -> ChunkResult:
        """Run one chunk to its end."""
        return await run_chunk(self._session, chunk, self._rollout)

    @property
    def paused_s(self) -> float:
        """Seconds for which nothing is sent, because the provider asked for a pause."""
        return self._session.limiter.paused_s

    def stop(self, reason: RunStopped) -> None:
        """Let nothing more be sent; calls in flight run to their end."""
        self._session.stop(reason)

    async def close(self) -> None:
        """Stop what the session does in the background."""
        self._session.close()


def slots(generate: Generate) -> int:
    """Return how many chunks one process runs at a time.

    They are enough to keep its calls in flight while one of the chunks ends.
    """
    if generate.mode == "batch":
        return BATCH_SLOTS
    return 1 + math.ceil(AHEAD * generate.limits.concurrency / generate.chunk_size)
