"""Writing the dialogues: rounds of asking, reading and judging, each chunk of requests a Prefect task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import duckdb
from prefect import task
from prefect.logging import get_run_logger
from prefect.utilities.annotations import quote

from flows import steps
from flows.artifacts import LiveProgress
from flows.options import BuildOptions
from flows.progress import CURRENT
from flows.stages import NO_CACHE, Context, Stage, run_stage
from tasks.generate import Chunk, ChunkResult, Crew, GenerateCounts, Progress, Work, generate_transcripts
from tasks.llm import RunStopped
from tasks.repair import forget_attempts, next_briefs, rejected_before, unanswered
from tasks.warehouse import StageRecord, made_from, open_warehouse, record_stage

LEAST_PAUSE_SHOWN_S = 5.0  # a shorter one is over before it is read


@dataclass
class Written:
    """What the rounds came to: the last round's records, its verdicts, and why asking ended early, if it did."""

    records: list[StageRecord] = field(default_factory=list)
    counts: list[GenerateCounts] = field(default_factory=list)
    stopped: RunStopped | None = None
    verdicts: StageRecord | None = None


@task(cache_policy=NO_CACHE, persist_result=False)
async def _chunk(held: Any) -> ChunkResult:
    crew, chunk = held
    result: ChunkResult = await crew.run(chunk)
    return result


async def _run_chunk(stage: str, crew: Crew, chunk: Chunk) -> ChunkResult:
    """Run a chunk as a Prefect task; quoting keeps Prefect from walking through its briefs."""
    return await _chunk.with_options(name="chunk", task_run_name=f"{stage}-chunk-{chunk.number:05}")(quote((crew, chunk)))


async def _run_there(crew: Crew, chunk: Chunk) -> ChunkResult:
    """Run a chunk on a cluster, whose crew makes the task itself."""
    return await crew.run(chunk)


async def write_dialogues(context: Context, options: BuildOptions, planned: StageRecord) -> Written:
    """Ask, read and judge in rounds: one round for all briefs, or as many as a target of accepted dialogues takes."""
    written = Written()
    while True:
        with open_warehouse(context.home.warehouse(context.domain.name)) as con:
            ids = next_briefs(con, options.accepted)
        if ids or not written.records:
            await _round(context, written, planned, ids)
            written.verdicts = await run_stage(steps.verdicts(context), context, planned, *written.records)
        if not ids or options.accepted is None or written.stopped:
            return written


async def _round(context: Context, written: Written, planned: StageRecord, ids: Sequence[str]) -> None:
    """Ask for some briefs and repair what is rejected, attempt by attempt, until nothing is left to repair or the run must stop."""
    written.records = []
    upstream = [planned]
    for attempt in range(1, context.domain.generate.max_attempts + 1):
        if attempt > 1:
            with open_warehouse(context.home.warehouse(context.domain.name)) as con:
                ids = rejected_before(con, attempt)
        if attempt > 1 and not ids:
            break
        asked = await _generate(context, attempt, ids, written, *upstream)
        parsed = await run_stage(steps.parsing(context, attempt), context, planned, asked)
        judged = await run_stage(steps.judging(context, attempt), context, planned, parsed)
        upstream = [planned, judged]
        written.records += [asked, parsed, judged]
        if written.stopped:
            break


async def _generate(context: Context, attempt: int, ids: Sequence[str], written: Written, *upstream: StageRecord) -> StageRecord:
    """Ask for what is unanswered of one attempt. What an earlier run made from the same inputs stays; from others it makes way."""
    stage = steps.generating(context, attempt)
    input_hash = stage.input_hash(upstream)
    sink = CURRENT.get()
    sink.stage(stage.name, "running")
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        if not made_from(con, stage.name, input_hash):
            forget_attempts(con, attempt)
            record_stage(con, stage.name, input_hash, stage.writes, context.run_id)
        missing = unanswered(con, attempt, ids)
        if missing:
            counts = await _ask(con, context, stage, steps.work(con, context, attempt, missing))
            written.counts.append(counts)
            written.stopped = counts.stopped
        record = record_stage(con, stage.name, input_hash, stage.writes, context.run_id)
    sink.stage(stage.name, *(("done", _summary(counts)) if missing else ("cached", f"{record.rows:,} rows")))
    return record


async def _ask(con: duckdb.DuckDBPyConnection, context: Context, stage: Stage, work: Work) -> GenerateCounts:
    """Run the chunks of one attempt and show how far they are."""
    sink = CURRENT.get()
    live = LiveProgress(context)
    began = time.perf_counter()

    def show(now: Progress) -> None:
        cost = f"${now.usage.cost_usd:.4f}" + (f" and {now.usage.unpriced:,} of unknown price" if now.usage.unpriced else "")
        pause = f", the provider asks to wait until {_after(now.paused_s)}" if now.paused_s > LEAST_PAUSE_SHOWN_S else ""
        sink.advance(stage.name, now.done, now.total, f"{now.in_flight} in flight, {cost}{pause}")
        live.note(now.done, now.total, cost)

    journals, settings = context.home.journals(context.domain.name), context.domain.generate
    name = f"{context.domain.name}-{stage.name}"
    crew = context.cluster.crew(con, settings, work.rollout, context.run_id, name) if context.cluster else None
    run = partial(_run_chunk, name) if crew is None else _run_there
    counts = await generate_transcripts(con, work, settings, journals, context.run_id, on_progress=show, run=run, crew=crew)
    await live.finish(_summary(counts))
    get_run_logger().info("%s: %s in %.1f s", stage.name, _summary(counts), time.perf_counter() - began)
    return counts


def _after(seconds: float) -> str:
    return (datetime.now() + timedelta(seconds=seconds)).strftime("%H:%M:%S")


def _summary(counts: GenerateCounts) -> str:
    parts: dict[str, Any] = {"answered": counts.answered, "failed": counts.failed, "unasked": counts.unasked}
    line = ", ".join(f"{number:,} {name}" for name, number in parts.items() if number or name == "answered")
    if counts.usage.unusable:
        line += f"; {counts.usage.unusable:,} billed answers could not be used"
    if counts.quarantined:
        line += f"; {counts.quarantined:,} journal lines hold no answer and are kept in the journals' quarantine folder"
    return f"{line}; {counts.stopped}" if counts.stopped else line
