"""What runs chunks: the protocol, and the executor in this process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

from tasks.generate.chunk import AHEAD, Chunk, ChunkResult, run_chunk
from tasks.generate.rollouts import Rollout
from tasks.llm import RunStopped, Session, Usage
from tasks.settings import Generate

BATCH_SLOTS = 4  # chunks whose requests may share a batch
# Fewest briefs of a chunk in batch mode: a chunk waits for its batch, which should be filled.
MIN_BATCH_CHUNK = 5000


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


def chunk_size(generate: Generate) -> int:
    """Return how many briefs a chunk has."""
    least = MIN_BATCH_CHUNK if generate.mode == "batch" else 1
    return max(generate.chunk_size, least)


def parts(generate: Generate, briefs: int) -> Iterator[int]:
    """Yield after how many of a run's briefs the answers so far are judged before more is asked.

    The first part fills all slots and each further one is twice as large: there are few of them,
    and all judging together is of about two dialogues for each one.
    """
    size = chunk_size(generate) * slots(generate) * generate.workers
    end = size
    while end < briefs:
        yield end
        size *= 2
        end += size


def slots(generate: Generate) -> int:
    """Return how many chunks one process runs at a time.

    They are enough to keep its calls in flight while one of the chunks ends.
    """
    if generate.mode == "batch":
        return BATCH_SLOTS
    return 1 + math.ceil(AHEAD * generate.limits.concurrency / generate.chunk_size)
