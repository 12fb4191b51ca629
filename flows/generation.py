"""Writing the dialogues: rounds of asking, reading and judging, each chunk of requests a Prefect task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from prefect import task
from prefect.logging import get_run_logger
from prefect.utilities.annotations import quote

from flows import steps
from flows.artifacts import LiveProgress
from flows.lineage_events import stage_events
from flows.options import BuildOptions
from flows.preparation import Planned
from flows.progress import CURRENT
from flows.stages import NO_CACHE, Context, Stage, announce, run_stage, show_end
from tasks.generate import (
    Chunk,
    ChunkExecutor,
    ChunkResult,
    GenerateCounts,
    Progress,
    Work,
    generate_transcripts,
)
from tasks.llm import RunStopped, journal_problems
from tasks.repair import (
    forget_attempts,
    forget_beyond,
    has_attempt,
    next_briefs,
    rejected_before,
    unanswered,
)
from tasks.warehouse import (
    Connection,
    StageRecord,
    made_from,
    open_warehouse,
    read_inputs,
    read_record,
    record_stage,
    why_redone,
)

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


async def _run_chunk(stage: str, crew: ChunkExecutor, chunk: Chunk) -> ChunkResult:
    """Run a chunk as a Prefect task; quoting keeps Prefect from walking through its briefs."""
    return await _chunk.with_options(
        name="chunk", task_run_name=f"{stage}-chunk-{chunk.number:05}"
    )(quote((crew, chunk)))


async def _run_there(crew: ChunkExecutor, chunk: Chunk) -> ChunkResult:
    """Run a chunk on a cluster, whose crew makes the task itself."""
    return await crew.run(chunk)


async def write_dialogues(context: Context, options: BuildOptions, planned: Planned) -> Written:
    """Ask, read and judge in rounds: one round for all briefs, or as many as a target of accepted dialogues takes."""
    written = Written()
    while True:
        with open_warehouse(context.home.warehouse(context.domain.name)) as con:
            ids = next_briefs(con, options.accepted)
        if ids or not written.records:
            await _round(context, written, planned, ids)
            written.verdicts = await run_stage(
                steps.verdicts(context), context, planned.briefs, *written.records
            )
        if not ids or options.accepted is None or written.stopped:
            return written


async def _round(context: Context, written: Written, planned: Planned, ids: Sequence[str]) -> None:
    """Ask for some briefs and repair what is rejected, attempt by attempt, until nothing is left to repair or the run must stop.

    What an earlier run made at attempts that this one does not come to is deleted: it was made with
    another `max_attempts`, or repairs what is not rejected any more. Only a run that was stopped
    keeps it, as far as it is still what would be made.
    """
    written.records = []
    most = context.domain.generate.max_attempts
    for attempt in range(1, most + 1):
        if attempt > 1:
            with open_warehouse(context.home.warehouse(context.domain.name)) as con:
                ids = rejected_before(con, attempt)
        if attempt > 1 and not ids:
            _forget_beyond(context, attempt - 1)
            return
        asked = await _generate(
            context, attempt, ids, written, planned.before_asking(written.records)
        )
        await _read_and_judge(context, written, planned, attempt, asked)
        if written.stopped:
            await _keep_later(context, written, planned, attempt + 1)
            return
    _forget_beyond(context, most)


async def _read_and_judge(
    context: Context, written: Written, planned: Planned, attempt: int, asked: StageRecord
) -> None:
    parsed = await run_stage(
        steps.parsing(context, attempt), context, *planned.before_reading(asked)
    )
    before = planned.before_judging(written.records, parsed)
    judged = await run_stage(steps.judging(context, attempt), context, *before)
    written.records += [asked, parsed, judged]


async def _keep_later(context: Context, written: Written, planned: Planned, first: int) -> None:
    """Take over later attempts of an earlier run, which this one was stopped before; read and judge them as they would be now.

    They stay while code, settings and files of their asking are what they were then, so that what
    was paid for is released. What they were asked upon may have grown since: the next run that is
    not stopped asks them anew, mostly from the store.
    """
    for attempt in range(first, context.domain.generate.max_attempts + 1):
        stage = steps.generating(context, attempt)
        with open_warehouse(context.home.warehouse(context.domain.name)) as con:
            before, record = read_inputs(con, stage.name), read_record(con, stage.name)
            kept = (
                before is not None and before.own() == stage.made_by and has_attempt(con, attempt)
            )
        if record is None or not kept:
            _forget_beyond(context, attempt - 1)
            return
        await _read_and_judge(context, written, planned, attempt, record)
    _forget_beyond(context, context.domain.generate.max_attempts)


def _forget_beyond(context: Context, last: int) -> None:
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        forget_beyond(con, last)


async def _generate(
    context: Context,
    attempt: int,
    ids: Sequence[str],
    written: Written,
    upstream: Sequence[StageRecord],
) -> StageRecord:
    """Ask for what is unanswered of one attempt.

    What an earlier run made from the same inputs stays; from others it makes way.
    """
    stage = steps.generating(context, attempt)
    inputs = stage.inputs(upstream)
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        same = made_from(con, stage.name, inputs.hash(stage.name))
        why = "" if same else why_redone(con, stage.name, inputs)
    announce(stage.name, why)
    with stage_events(context.lineage, stage.name, why) as ending:
        with open_warehouse(context.home.warehouse(context.domain.name)) as con:
            if not same:
                forget_attempts(con, attempt)
                record_stage(con, stage.name, inputs, stage.writes, context.run_id)
            missing = unanswered(con, attempt, ids)
            counts = (
                await _ask(con, context, stage, steps.work(con, context, attempt, missing))
                if missing
                else None
            )
            record = record_stage(con, stage.name, inputs, stage.writes, context.run_id)
        if counts is not None:
            written.counts.append(counts)
            written.stopped = counts.stopped
        ending.cached = counts is None
        ending.stopped = str(written.stopped or "")
    show_end(
        stage.name,
        why,
        summary(counts) if counts else f"{record.rows:,} rows",
        otherwise="done" if counts else "cached",
    )
    return record


async def _ask(con: Connection, context: Context, stage: Stage, work: Work) -> GenerateCounts:
    """Run the chunks of one attempt and show how far they are."""
    sink = CURRENT.get()
    live = LiveProgress(context)
    began = time.perf_counter()

    def show(now: Progress) -> None:
        cost = f"${now.usage.cost_usd:.4f}" + (
            f" and {now.usage.unpriced:,} of unknown price" if now.usage.unpriced else ""
        )
        pause = (
            f", the provider asks to wait until {_after(now.paused_s)}"
            if now.paused_s > LEAST_PAUSE_SHOWN_S
            else ""
        )
        sink.advance(stage.name, now.done, now.total, f"{now.in_flight} in flight, {cost}{pause}")
        live.note(now.done, now.total, cost)

    journals, settings = context.home.journals(context.domain.name), context.domain.generate
    name = f"{context.domain.name}-{stage.name}"
    crew = (
        context.cluster.crew(con, settings, work.rollout, context.run_id, name)
        if context.cluster
        else None
    )
    run = partial(_run_chunk, name) if crew is None else _run_there
    counts = await generate_transcripts(
        con, work, settings, journals, context.run_id, on_progress=show, run=run, executor=crew
    )
    await live.finish(summary(counts))
    get_run_logger().info(
        "%s: %s in %.1f s", stage.name, summary(counts), time.perf_counter() - began
    )
    return counts


def _after(seconds: float) -> str:
    return (datetime.now() + timedelta(seconds=seconds)).strftime("%H:%M:%S")


def summary(counts: GenerateCounts) -> str:
    """Return the line that says how a generation ended."""
    parts: dict[str, Any] = {
        "answered": counts.answered,
        "failed": counts.failed,
        "unasked": counts.unasked,
    }
    line = ", ".join(
        f"{number:,} {name}" for name, number in parts.items() if number or name == "answered"
    )
    if counts.usage.unusable:
        line += f"; {counts.usage.unusable:,} billed answers could not be used"
    line = "; ".join((line, *journal_problems(counts.quarantined, counts.torn)))
    return f"{line}; {counts.stopped}" if counts.stopped else line
