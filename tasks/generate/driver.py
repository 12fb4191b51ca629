"""Briefs become transcripts: what the store knows is taken from it, the rest is asked for, chunk by chunk."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import duckdb

from tasks.briefs import Brief
from tasks.errors import UserError
from tasks.generate.chunk import Chunk, ChunkResult, run_together
from tasks.generate.chunk_results import save_chunk, spent
from tasks.generate.executor import ChunkExecutor, InProcessExecutor
from tasks.generate.rollouts import Rollout
from tasks.generate.worker_pool import WorkerPoolExecutor
from tasks.llm import (
    Budget,
    Loaded,
    RunStopped,
    Session,
    StoredAnswers,
    Usage,
    adopt_earlier_answers,
    graceful_shutdown,
    recover_journals,
)
from tasks.settings import Generate
from tasks.warehouse import transaction

PATIENCE_S = 5.0  # for workers of a killed owner to notice and let go of their journals
TICK_S = 0.25  # between two progress reports
# fewest briefs of a chunk in batch mode: a chunk waits for its batch, and a batch is worth filling
BATCH_CHUNK = 5000


@dataclass(frozen=True)
class Work:
    """What is to be written, and how.

    Attributes:
        ids: the briefs' dialogue ids, in order.
        fetch: returns the briefs of some ids; called for one chunk at a time, so that they never
            lie in memory all at once.
        rollout: picklable; its `attempt` is the attempt written.
        profile: the prompt profile's name, for the record.
        domain: the domain's name, which its dialogues' ids hold; empty where they are not made by
            `plan_briefs`.
    """

    ids: Sequence[str]
    fetch: Callable[[Sequence[str]], Sequence[Brief]]
    rollout: Rollout
    profile: str
    domain: str = ""


@dataclass(frozen=True)
class Progress:
    """Where a generation stands.

    Attributes:
        done: of `total` briefs have ended.
        usage: `cost_usd` is the spend of this run so far.
        paused_s: seconds for which nothing is sent, because the provider asked for a pause.
    """

    done: int
    total: int
    in_flight: int
    usage: Usage
    paused_s: float = 0.0


@dataclass(frozen=True)
class GenerateCounts:
    """How a generation ended: briefs = answered + failed + unasked.

    Attributes:
        recovered: answers found in journals that an earlier run left behind.
        quarantined: journal lines that hold no answer; they are kept beside the journals.
        torn: ends of journals that a killed process had begun to write; their calls are asked
            again.
        stopped: why the run ended before all briefs were asked; None when it did not.
    """

    briefs: int
    answered: int
    failed: int
    unasked: int
    recovered: int
    quarantined: int = 0
    torn: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    stopped: RunStopped | None = None


RunChunk = Callable[[ChunkExecutor, Chunk], Awaitable[ChunkResult]]


async def _run_here(crew: ChunkExecutor, chunk: Chunk) -> ChunkResult:
    return await crew.run(chunk)


async def generate_transcripts(
    con: duckdb.DuckDBPyConnection,
    work: Work,
    settings: Generate,
    journals: Path,
    run_id: str,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    run: RunChunk = _run_here,
    crew: ChunkExecutor | None = None,
) -> GenerateCounts:
    """Fill `responses` and `transcripts` for the briefs of `work`.

    Leftover journals are loaded first. Each chunk is committed when it ends, so the caller must
    have no transaction open. Whatever ends this early (budget, breaker, Ctrl-C, kill -9) loses
    nothing that a journal has acknowledged.

    Args:
        con: the owner's connection.
        work: what is to be written.
        settings: model, limits, chunk size.
        journals: the domain's journal folder.
        run_id: written to every row; a budget counts what answers of this run id have cost.
        on_progress: called a few times a second.
        run: runs one chunk; the place to put a task engine around it.
        crew: who runs the chunks, if not this process or its worker processes; the caller ends it.

    Raises:
        UserError: key, model, parameter or disk, when nothing could be asked at all; what was
            answered before is kept.
    """
    began = time.monotonic()
    recovered = recover_journals(con, journals, patience_s=PATIENCE_S)
    if work.domain:
        with transaction(con):
            adopt_earlier_answers(con, work.domain)
    async with nullcontext(crew) if crew else _crew(con, work, settings, run_id) as chosen:
        generation = _Generation(con, work, settings, journals, run_id, chosen, run)
        reporter = asyncio.create_task(_report(generation, on_progress)) if on_progress else None
        try:
            grace_s = (
                0.0 if settings.mode == "batch" else settings.limits.shutdown_grace_s
            )  # a batch costs no more unwatched
            async with graceful_shutdown(chosen.stop, grace_s):
                await generation.run_all()
        finally:
            if reporter is not None:
                reporter.cancel()
        # Answers that came back by batch, and those nobody waited for.
        generation.loaded += recover_journals(con, journals, patience_s=0)
        if on_progress:
            on_progress(generation.progress)
        return generation.counts(recovered, time.monotonic() - began)


@asynccontextmanager
async def _crew(
    con: duckdb.DuckDBPyConnection, work: Work, settings: Generate, run_id: str
) -> AsyncIterator[ChunkExecutor]:
    limits = settings.limits
    budget = Budget(
        limits.budget_usd, spent(con, run_id, limits.budget_scope), scope=limits.budget_scope
    )
    crew: ChunkExecutor
    if settings.workers > 1 and settings.mode == "live":
        crew = await WorkerPoolExecutor.start(con, settings, work.rollout, budget, run_id)
    else:
        crew = InProcessExecutor(
            Session(settings, StoredAnswers.of(con), budget, run_id), work.rollout
        )
    try:
        yield crew
    finally:
        await crew.close()


async def _report(generation: _Generation, on_progress: Callable[[Progress], None]) -> None:
    while True:
        on_progress(generation.progress)
        await asyncio.sleep(TICK_S)


class _Generation:
    """One generation under way: chunks out, results in."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        work: Work,
        settings: Generate,
        journals: Path,
        run_id: str,
        crew: ChunkExecutor,
        run: RunChunk,
    ) -> None:
        self._con, self._work, self._settings, self._journals = con, work, settings, journals
        self._run_id, self._crew, self._run = run_id, crew, run
        self._answered = self._failed = 0
        self.loaded = Loaded()
        self._stopped: RunStopped | UserError | None = None

    @property
    def progress(self) -> Progress:
        """Where it stands."""
        crew, done = self._crew, self._answered + self._failed
        return Progress(done, len(self._work.ids), crew.in_flight, crew.usage, crew.paused_s)

    async def run_all(self) -> None:
        """Run every chunk, `slots` at a time. Raises UserError once all that was answered is saved."""
        chunks = self._chunks()
        await run_together(self._run_some(chunks) for _ in range(self._crew.slots))
        if isinstance(self._stopped, UserError):
            raise self._stopped

    def counts(self, recovered: Loaded, seconds: float) -> GenerateCounts:
        """Return how it ended."""
        total, done = len(self._work.ids), self._answered + self._failed
        stopped = self._stopped if isinstance(self._stopped, RunStopped) else None
        return GenerateCounts(
            total,
            self._answered,
            self._failed,
            total - done,
            recovered.new,
            (recovered + self.loaded).quarantined,
            (recovered + self.loaded).torn,
            self._crew.usage,
            seconds,
            stopped,
        )

    def _chunks(self) -> Iterator[Chunk]:
        ids, size, run = self._work.ids, self._settings.chunk_size, uuid.uuid4().hex[:8]
        if self._settings.mode == "batch":
            size = max(size, BATCH_CHUNK)
        for number, start in zip(count(1), range(0, len(ids), size), strict=False):
            briefs = tuple(self._work.fetch(ids[start : start + size]))
            yield Chunk(
                number, briefs, self._journals / f"{time.time_ns()}-{run}-{number:06}.jsonl"
            )

    async def _run_some(self, chunks: Iterator[Chunk]) -> None:
        for chunk in chunks:
            try:
                result = await self._run(self._crew, chunk)
            except RunStopped as reason:
                self._stopped = self._stopped or reason
                return
            work = self._work
            self.loaded += save_chunk(
                self._con,
                result,
                profile=work.profile,
                rollout=work.rollout.name,
                run_id=self._run_id,
            )
            failed = sum(transcript.status == "failed" for transcript in result.transcripts)
            self._failed += failed
            self._answered += len(result.transcripts) - failed
            self._stopped = self._stopped or result.stopped
            if self._stopped is not None:
                return
