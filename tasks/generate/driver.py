"""Runs a generation: briefs go out in chunks, their transcripts are stored as each chunk ends."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext
from itertools import count
from pathlib import Path

import duckdb

from tasks.errors import UserError
from tasks.generate.chunk import Chunk, ChunkResult, run_together
from tasks.generate.chunk_results import save_chunk, spent
from tasks.generate.executor import ChunkExecutor, InProcessExecutor, chunk_size
from tasks.generate.work import GenerateCounts, Progress, Work
from tasks.generate.worker_pool import WorkerPoolExecutor
from tasks.llm import (
    Adaptation,
    Budget,
    Loaded,
    RunStopped,
    Session,
    StoredAnswers,
    adopt_earlier_answers,
    fetch_journals,
    graceful_shutdown,
    recover_journals,
    store_of,
)
from tasks.settings import Generate
from tasks.warehouse import transaction

PATIENCE_S = 5.0  # for workers of a killed run to notice it and release their journals
TICK_S = 0.25  # between two progress reports

RunChunk = Callable[[ChunkExecutor, Chunk], Awaitable[ChunkResult]]


async def _run_directly(executor: ChunkExecutor, chunk: Chunk) -> ChunkResult:
    return await executor.run(chunk)


async def generate_transcripts(
    con: duckdb.DuckDBPyConnection,
    work: Work,
    settings: Generate,
    journals: Path,
    run_id: str,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    run: RunChunk = _run_directly,
    executor: ChunkExecutor | None = None,
) -> GenerateCounts:
    """Fill `responses` and the work's table, such as `transcripts`, for the briefs of `work`.

    Journals of earlier runs are loaded first. Each chunk is committed when it ends, so the caller
    must have no transaction open. Nothing that a journal has acknowledged is lost, however this
    ends: budget, breaker, Ctrl-C, kill -9. Where journals are kept in a store, they are fetched
    to the journal folder before they are loaded.

    Args:
        con: the connection to the warehouse, which this process alone has open.
        work: what is to be written.
        settings: model, limits, chunk size.
        journals: the domain's journal folder.
        run_id: written to every row; a budget counts what answers of this run id have cost.
        on_progress: called a few times a second.
        run: runs one chunk by an executor; the place to put a task engine around it.
        executor: runs the chunks, if not this process or its worker processes; the caller closes
            it.

    Raises:
        UserError: key, model, parameter or disk, when nothing could be asked at all; what was
            answered before is kept.
    """
    began = time.monotonic()
    store = store_of(settings.journals, journals)
    await asyncio.to_thread(fetch_journals, store, journals)
    recovered = recover_journals(con, journals, patience_s=PATIENCE_S)
    if work.domain:
        with transaction(con):
            adopt_earlier_answers(con, work.domain)
    context = nullcontext(executor) if executor else _executor(con, work, settings, run_id)
    async with context as chosen:
        generation = _Generation(con, work, settings, journals, run_id, chosen)
        async with _reporting(generation, on_progress):
            async with graceful_shutdown(chosen.stop, _grace_s(settings)):
                await generation.run_all(run)
            # Answers of batches, and those that no rollout waited for.
            await asyncio.to_thread(fetch_journals, store, journals)
            generation.loaded += recover_journals(con, journals, patience_s=0)
        return generation.counts(recovered, time.monotonic() - began)


def _grace_s(settings: Generate) -> float:
    """Return the seconds that a signal leaves for what is in flight; batches need none."""
    return 0.0 if settings.mode == "batch" else settings.limits.shutdown_grace_s


@asynccontextmanager
async def _executor(
    con: duckdb.DuckDBPyConnection, work: Work, settings: Generate, run_id: str
) -> AsyncIterator[ChunkExecutor]:
    limits = settings.limits
    already_spent = spent(con, run_id, limits.budget_scope)
    budget = Budget(limits.budget_usd, already_spent, scope=limits.budget_scope)
    executor: ChunkExecutor
    if settings.workers > 1 and settings.mode == "live":
        executor = await WorkerPoolExecutor.start(con, settings, work.rollout, budget, run_id)
    else:
        session = Session(
            settings, StoredAnswers.of(con), budget, run_id, work.rollout.read_problem
        )
        executor = InProcessExecutor(session, work.rollout)
    try:
        yield executor
    finally:
        await executor.close()


@asynccontextmanager
async def _reporting(
    generation: _Generation, on_progress: Callable[[Progress], None] | None
) -> AsyncIterator[None]:
    """Report progress while the block runs, and once more when it has ended well."""
    if on_progress is None:
        yield
        return
    reporter = asyncio.create_task(_report(generation, on_progress))
    try:
        yield
    finally:
        reporter.cancel()
    on_progress(generation.progress)


async def _report(generation: _Generation, on_progress: Callable[[Progress], None]) -> None:
    while True:
        on_progress(generation.progress)
        await asyncio.sleep(TICK_S)


class _Generation:
    """One generation in progress."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        work: Work,
        settings: Generate,
        journals: Path,
        run_id: str,
        executor: ChunkExecutor,
    ) -> None:
        self._con, self._work, self._settings, self._journals = con, work, settings, journals
        self._store = store_of(settings.journals, journals)
        self._run_id, self._executor = run_id, executor
        self._answered = self._failed = 0
        self.loaded = Loaded()
        self._adaptations: dict[str, Adaptation] = {}  # by parameter
        self._stopped: RunStopped | UserError | None = None

    @property
    def progress(self) -> Progress:
        """How far it is."""
        executor, done = self._executor, self._answered + self._failed
        total = len(self._work.ids)
        return Progress(done, total, executor.in_flight, executor.usage, executor.paused_s)

    async def run_all(self, run: RunChunk) -> None:
        """Run every chunk, `slots` at a time. Raises UserError once all answers are saved."""
        chunks = self._chunks()
        await run_together(self._run_some(run, chunks) for _ in range(self._executor.slots))
        if isinstance(self._stopped, UserError):
            raise self._stopped

    def counts(self, recovered: Loaded, seconds: float) -> GenerateCounts:
        """Return how it ended."""
        total = len(self._work.ids)
        loaded = recovered + self.loaded
        return GenerateCounts(
            briefs=total,
            answered=self._answered,
            failed=self._failed,
            unasked=total - self._answered - self._failed,
            recovered=recovered.new,
            quarantined=loaded.quarantined,
            torn=loaded.torn,
            usage=self._executor.usage,
            seconds=seconds,
            stopped=self._stopped if isinstance(self._stopped, RunStopped) else None,
            adaptations=tuple(self._adaptations.values()),
        )

    def _chunks(self) -> Iterator[Chunk]:
        ids, size, unique = self._work.ids, chunk_size(self._settings), uuid.uuid4().hex[:8]
        for number, start in zip(count(1), range(0, len(ids), size), strict=False):
            briefs = tuple(self._work.fetch(ids[start : start + size]))
            name = f"{time.time_ns()}-{unique}-{number:06}.jsonl"
            yield Chunk(number, briefs, self._journals / name, self._store)

    async def _run_some(self, run: RunChunk, chunks: Iterator[Chunk]) -> None:
        """Run and save one chunk after the other, until none is left or the run must end."""
        for chunk in chunks:
            try:
                result = await run(self._executor, chunk)
            except RunStopped as reason:
                self._stopped = self._stopped or reason
                return
            await asyncio.to_thread(
                fetch_journals, self._store, self._journals, result.journal.stem
            )
            self._save(result)
            self._adaptations |= {found.parameter: found for found in result.adaptations}
            self._stopped = self._stopped or result.stopped
            if self._stopped is not None:
                return

    def _save(self, result: ChunkResult) -> None:
        work = self._work
        self.loaded += save_chunk(
            self._con,
            result,
            profile=work.profile,
            rollout=work.rollout.name,
            run_id=self._run_id,
            table=work.table,
        )
        failed = sum(transcript.status == "failed" for transcript in result.transcripts)
        self._failed += failed
        self._answered += len(result.transcripts) - failed
