"""Writing the dialogues: rounds of asking, reading and judging, each chunk of requests a Prefect task."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from prefect import task
from prefect.logging import get_run_logger
from prefect.utilities.annotations import quote

from flows import steps
from flows.artifacts import LiveProgress
from flows.options import BuildOptions
from flows.progress import CURRENT
from flows.stages import NO_CACHE, Context, run_stage
from tasks.generate import Chunk, ChunkResult, Crew, GenerateCounts, Progress, generate_transcripts
from tasks.llm import RunStopped
from tasks.warehouse import StageRecord, bears, open_warehouse, record_stage


@dataclass
class Written:
    """What the rounds came to: the stages' records, and why asking ended early, if it did."""

    records: list[StageRecord] = field(default_factory=list)
    counts: list[GenerateCounts] = field(default_factory=list)
    stopped: RunStopped | None = None


@task(cache_policy=NO_CACHE, persist_result=False)
async def _chunk(held: Any) -> ChunkResult:
    crew, chunk = held
    result: ChunkResult = await crew.run(chunk)
    return result


async def _run_chunk(crew: Crew, chunk: Chunk) -> ChunkResult:
    """Run a chunk as a Prefect task; quoting keeps Prefect from walking through its briefs."""
    return await _chunk.with_options(name="chunk", task_run_name=f"chunk-{chunk.number:05}")(quote((crew, chunk)))


async def write_dialogues(context: Context, options: BuildOptions, planned: StageRecord) -> Written:
    """Ask, read and judge, attempt by attempt, until nothing is left to repair or the run must stop."""
    written = Written()
    upstream = [planned]
    for attempt in range(1, context.domain.generate.max_attempts + 1):
        if attempt > 1 and not steps.has_repairs(context, attempt):
            break
        asked = await _generate(context, attempt, written, *upstream)
        parsed = await run_stage(steps.parsing(context, attempt), context, planned, asked)
        judged = await run_stage(steps.judging(context, attempt), context, planned, parsed)
        upstream = [planned, judged]
        written.records += [asked, parsed, judged]
        if written.stopped:
            break
    return written


async def _generate(context: Context, attempt: int, written: Written, *upstream: StageRecord) -> StageRecord:
    """Ask for what is missing of one attempt. Trusted as a whole only when every brief was answered."""
    stage = steps.generating(context, attempt)
    input_hash = stage.input_hash(upstream)
    sink = CURRENT.get()
    sink.stage(stage.name, "running")
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        if bears(con, stage.name, input_hash):
            record = record_stage(con, stage.name, input_hash, stage.writes, context.run_id)
            sink.stage(stage.name, "cached", f"{record.rows:,} rows")
            return record
        work = steps.work(con, context, attempt)
        live = await LiveProgress.start(context)
        began = time.perf_counter()

        def show(now: Progress) -> None:
            cost = f"${now.usage.cost_usd:.4f}" + (f" and {now.usage.unpriced:,} of unknown price" if now.usage.unpriced else "")
            sink.advance(stage.name, now.done, now.total, f"{now.in_flight} in flight, {cost}")
            live.note(now.done, now.total, cost)

        counts = await generate_transcripts(
            con,
            work,
            context.domain.generate,
            context.home.journals(context.domain.name),
            context.run_id,
            on_progress=show,
            run=_run_chunk,
        )
        await live.finish(_summary(counts))
        complete = not counts.failed and not counts.unasked
        record = record_stage(con, stage.name, input_hash if complete else f"incomplete {input_hash}", stage.writes, context.run_id)
    written.counts.append(counts)
    written.stopped = counts.stopped
    get_run_logger().info("%s: %s in %.1f s", stage.name, _summary(counts), time.perf_counter() - began)
    sink.stage(stage.name, "done", _summary(counts))
    return record


def _summary(counts: GenerateCounts) -> str:
    parts: dict[str, Any] = {"answered": counts.answered, "failed": counts.failed, "unasked": counts.unasked}
    told = ", ".join(f"{number:,} {name}" for name, number in parts.items() if number or name == "answered")
    return f"{told}; {counts.stopped}" if counts.stopped else told
