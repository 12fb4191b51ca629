"""One chunk with nothing shared: for a worker on another machine that has the journals' folder and no warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from tasks.generate.chunk import Chunk, ChunkResult, run_chunk
from tasks.generate.rollouts import Rollout
from tasks.llm import Answer, Budget, KnownAnswers, Session, answers_of_dialogues
from tasks.settings import Generate


@dataclass(frozen=True)
class ChunkJob:
    """A chunk with all it needs. Picklable.

    Attributes:
        generate: the settings, with this job's own share of the limits and of the budget.
        stored: the answers the store holds to these dialogues, by request key.
    """

    chunk: Chunk
    rollout: Rollout
    generate: Generate
    run_id: str
    stored: Mapping[str, Answer]


def make_job(
    con: duckdb.DuckDBPyConnection, chunk: Chunk, rollout: Rollout, generate: Generate, run_id: str
) -> ChunkJob:
    """Pack a chunk with what the store knows of its dialogues.

    The owner calls this; `save_chunk` takes the result in.
    """
    stored = answers_of_dialogues(con, [brief.dialogue_id for brief in chunk.briefs])
    return ChunkJob(chunk, rollout, generate, run_id, stored)


async def generate_chunk(job: ChunkJob) -> ChunkResult:
    """Write a chunk's dialogues; the answers are in its journal when this returns.

    What ends the run is returned, not raised.
    """
    budget = Budget(job.generate.limits.budget_usd)
    session = Session(job.generate, KnownAnswers(job.stored), budget, job.run_id)
    try:
        result = await run_chunk(session, job.chunk, job.rollout)
    finally:
        session.close()
    return ChunkResult(
        result.number,
        result.journal,
        result.transcripts,
        result.unasked,
        session.meter.usage,
        result.stopped,
    )
