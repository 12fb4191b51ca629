"""One chunk: some briefs, one journal, as many rollouts at a time as calls may be in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from tasks.briefs import Brief
from tasks.errors import UserError
from tasks.generate.rollouts import Rollout
from tasks.llm import (
    Adaptation,
    Answer,
    Budget,
    CallFailed,
    JournalStore,
    KnownAnswers,
    RunStopped,
    Session,
    Transcript,
    Usage,
    WriteAheadLog,
    answers_of_dialogues,
)
from tasks.settings import Generate

AHEAD = 2  # rollouts per call that may be in flight: the next request is ready when one returns


async def run_together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines concurrently until all have ended.

    The first to fail cancels the others, and its error is raised as it is.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


@dataclass(frozen=True)
class Chunk:
    """Some briefs to write, and the journal of their answers. Picklable.

    Attributes:
        journal: its file, on the machine that stores the answers.
        store: address that the journal is written to instead, and fetched from; empty for none.
    """

    number: int
    briefs: tuple[Brief, ...]
    journal: Path
    store: str = ""


@dataclass(frozen=True)
class ChunkResult:
    """How a chunk ended. Picklable.

    Attributes:
        transcripts: of every brief that ended, answered or failed.
        unasked: ids of briefs that the run ended before.
        stopped: why the run must end, if it must.
        adaptations: what the provider refuses, so that it was asked without.
    """

    number: int
    journal: Path
    transcripts: tuple[Transcript, ...]
    unasked: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    stopped: RunStopped | UserError | None = None
    adaptations: tuple[Adaptation, ...] = ()


async def run_chunk(session: Session, chunk: Chunk, rollout: Rollout) -> ChunkResult:
    """Write a chunk's dialogues.

    A brief's own failure is recorded in its transcript; what ends the run is returned, not raised.
    """
    transcripts: dict[str, Transcript] = {}
    try:
        store = JournalStore(chunk.store) if chunk.store else None
        journal = WriteAheadLog(chunk.journal, store)
    except UserError as reason:
        session.stop(reason)
        return _result(session, chunk, transcripts)
    # Requests of one template follow each other: their prompts begin alike, for prefix caches.
    waiting = iter(sorted(chunk.briefs, key=lambda brief: brief.template.template_id))
    runners = _rollouts_at_a_time(session.generate, len(chunk.briefs))
    try:
        await run_together(
            _write_some(session, waiting, rollout, journal, transcripts) for _ in range(runners)
        )
    finally:
        await journal.close()
    return _result(session, chunk, transcripts)


def _rollouts_at_a_time(generate: Generate, briefs: int) -> int:
    """Return how many of a chunk's briefs are written at a time: all of them in batch mode."""
    if generate.mode == "batch":
        return briefs
    return min(briefs, AHEAD * generate.limits.concurrency)


def _result(session: Session, chunk: Chunk, transcripts: Mapping[str, Transcript]) -> ChunkResult:
    ids = (brief.dialogue_id for brief in chunk.briefs)
    unasked = tuple(dialogue_id for dialogue_id in ids if dialogue_id not in transcripts)
    return ChunkResult(
        chunk.number,
        chunk.journal,
        tuple(transcripts.values()),
        unasked,
        stopped=session.stopped if unasked else None,
        adaptations=tuple(session.adaptations),
    )


async def _write_some(
    session: Session,
    waiting: Iterator[Brief],
    rollout: Rollout,
    journal: WriteAheadLog,
    transcripts: dict[str, Transcript],
) -> None:
    """Write one waiting brief after the other, until none waits or the run must end."""
    for brief in waiting:
        try:
            transcripts[brief.dialogue_id] = await _write(session, brief, rollout, journal)
        except (RunStopped, UserError) as reason:
            session.stop(reason)
            return


async def _write(
    session: Session, brief: Brief, rollout: Rollout, journal: WriteAheadLog
) -> Transcript:
    ask = session.ask_for(brief.dialogue_id, rollout.attempt, journal)
    try:
        return await rollout(brief, ask)
    except CallFailed as failure:
        return Transcript(brief.dialogue_id, rollout.attempt, "failed", "", "", (), str(failure))


@dataclass(frozen=True)
class ChunkJob:
    """A chunk with all it needs, for a machine that has no warehouse.

    It reaches the folder of the journals, or their store.

    Picklable.

    Attributes:
        generate: the settings, with this job's own share of the limits and of the budget.
        stored: the answers that the warehouse holds to these dialogues, by request key.
    """

    chunk: Chunk
    rollout: Rollout
    generate: Generate
    run_id: str
    stored: Mapping[str, Answer]


def make_job(
    con: duckdb.DuckDBPyConnection, chunk: Chunk, rollout: Rollout, generate: Generate, run_id: str
) -> ChunkJob:
    """Return a chunk with the stored answers of its dialogues."""
    stored = answers_of_dialogues(con, [brief.dialogue_id for brief in chunk.briefs])
    return ChunkJob(chunk, rollout, generate, run_id, stored)


async def generate_chunk(job: ChunkJob) -> ChunkResult:
    """Write the dialogues of a job; the answers are in its journal when this returns.

    What ends the run is returned, not raised.
    """
    budget = Budget(job.generate.limits.budget_usd)
    session = Session(
        job.generate, KnownAnswers(job.stored), budget, job.run_id, job.rollout.read_problem
    )
    try:
        result = await run_chunk(session, job.chunk, job.rollout)
    finally:
        session.close()
    return replace(result, usage=session.meter.usage)
