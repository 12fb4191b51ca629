"""One chunk: some briefs, one journal, as many rollouts at a time as may be in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.briefs import Brief
from tasks.errors import UserError
from tasks.generate.rollouts import Rollout
from tasks.llm import CallFailed, RunStopped, Session, Transcript, Usage, WriteAheadLog


async def run_together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines side by side until all have ended; the first to fail ends the others and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


AHEAD = 2  # rollouts per call that may be in flight: the next request is ready when one returns


@dataclass(frozen=True)
class Chunk:
    """Some briefs to write, and the journal their answers go to. Picklable."""

    number: int
    briefs: tuple[Brief, ...]
    journal: Path


@dataclass(frozen=True)
class ChunkResult:
    """What became of a chunk. Picklable.

    Attributes:
        transcripts: of every brief that ended, answered or failed.
        unasked: ids of briefs the run ended before.
        stopped: why the run must end, if it must.
    """

    number: int
    journal: Path
    transcripts: tuple[Transcript, ...]
    unasked: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    stopped: RunStopped | UserError | None = None


async def run_chunk(session: Session, chunk: Chunk, rollout: Rollout) -> ChunkResult:
    """Write a chunk's dialogues.

    A brief's own failure is recorded in its transcript; what ends the run is returned, not raised.
    """
    written: dict[str, Transcript] = {}
    try:
        journal = WriteAheadLog(chunk.journal)
    except UserError as reason:
        session.stop(reason)
        return _result(session, chunk, written)
    waiting = iter(chunk.briefs)
    together = (
        len(chunk.briefs)
        if session.generate.mode == "batch"
        else AHEAD * session.generate.limits.concurrency
    )
    runners = min(len(chunk.briefs), together)
    try:
        await run_together(
            _write_some(session, waiting, rollout, journal, written) for _ in range(runners)
        )
    finally:
        await journal.close()
    return _result(session, chunk, written)


def _result(session: Session, chunk: Chunk, written: dict[str, Transcript]) -> ChunkResult:
    unasked = tuple(brief.dialogue_id for brief in chunk.briefs if brief.dialogue_id not in written)
    return ChunkResult(
        chunk.number,
        chunk.journal,
        tuple(written.values()),
        unasked,
        stopped=session.stopped if unasked else None,
    )


async def _write_some(
    session: Session,
    waiting: Iterator[Brief],
    rollout: Rollout,
    journal: WriteAheadLog,
    written: dict[str, Transcript],
) -> None:
    for brief in waiting:
        try:
            written[brief.dialogue_id] = await _write(session, brief, rollout, journal)
        except (RunStopped, UserError) as reason:
            session.stop(reason)
            return


async def _write(
    session: Session, brief: Brief, rollout: Rollout, journal: WriteAheadLog
) -> Transcript:
    try:
        return await rollout(brief, session.ask_for(brief.dialogue_id, rollout.attempt, journal))
    except CallFailed as failure:
        return Transcript(brief.dialogue_id, rollout.attempt, "failed", "", "", (), str(failure))
