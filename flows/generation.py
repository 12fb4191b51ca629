"""Asking the model for dialogues, in chunks, each a Prefect task."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.utilities.annotations import quote

from flows.artifacts import LiveProgress
from flows.lineage_events import stage_events
from flows.progress import CURRENT
from flows.stage_runner import StageRun, announce, show_end
from flows.stages import Context
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
from tasks.settings import Generate
from tasks.warehouse import Connection, StageRecord, made_from, why_redone

Asks = Callable[[Connection], Awaitable[Sequence[GenerateCounts]]]
"""Asks for what is missing of a stage; returns how each asking ended, nothing if none was."""
LEAST_PAUSE_SHOWN_S = 5.0  # a shorter one is over before it is read


@task(cache_policy=NO_CACHE, persist_result=False)
async def _chunk(held: Any) -> ChunkResult:
    executor, chunk = held
    result: ChunkResult = await executor.run(chunk)
    return result


async def _run_chunk(stage: str, executor: ChunkExecutor, chunk: Chunk) -> ChunkResult:
    """Run a chunk as a Prefect task; quoting keeps Prefect from walking through its briefs."""
    return await _chunk.with_options(
        name="chunk", task_run_name=f"{stage}-chunk-{chunk.number:05}"
    )(quote((executor, chunk)))


async def _run_there(executor: ChunkExecutor, chunk: Chunk) -> ChunkResult:
    """Run a chunk on a cluster; its executor makes the task itself."""
    return await executor.run(chunk)


async def run_asking(
    run: StageRun,
    forget: Callable[[Connection, int], None],
    asks: Asks,
    stopped: RunStopped | None = None,
) -> tuple[StageRecord, RunStopped | None]:
    """Run a stage that asks a model.

    What an earlier run made from the same inputs stays; from others it makes way.

    Args:
        run: the stage.
        forget: deletes what was made at an attempt.
        asks: asks for what is missing; it is not called once the run is stopped.
        stopped: why nothing may be sent any more, if so.

    Returns:
        The stage's record, and why asking ended early, if it did.
    """
    context = run.context
    with closing(context.warehouse), context.warehouse.use() as con:
        same = made_from(con, run.name, run.inputs.hash(run.name))
        why = "" if same else why_redone(con, run.name, run.inputs)
        announce(run.name, why)
        with stage_events(context.lineage, run.name, why) as ending:
            if not same:
                forget(con, run.attempt)
                run.record(con)
            asked = [] if stopped else await asks(con)
            record = run.record(con)
            stopped = stopped or next((one.stopped for one in asked if one.stopped), None)
            ending.cached = not asked
            ending.stopped = str(stopped or "")
    text = "; ".join(map(summary, asked)) or f"{record.rows:,} rows"
    show_end(run.name, why, text, otherwise="done" if asked else "cached")
    return record, stopped


async def ask(
    con: Connection,
    context: Context,
    stage: str,
    work: Work,
    settings: Generate | None = None,
) -> GenerateCounts:
    """Run the chunks of one attempt and show how far they are.

    `settings` are those of the domain's generation at this attempt if not given.
    """
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
        sink.advance(stage, now.done, now.total, f"{now.in_flight} in flight, {cost}{pause}")
        live.note(now.done, now.total, cost)

    journals = context.home.journals(context.domain.name)
    settings = settings or context.domain.generate.at_attempt(work.rollout.attempt)
    name = f"{context.domain.name}-{stage}"
    executor = (
        context.cluster.executor(con, settings, work.rollout, context.run_id, name)
        if context.cluster
        else None
    )
    run = partial(_run_chunk, name) if executor is None else _run_there
    counts = await generate_transcripts(
        con, work, settings, journals, context.run_id, on_progress=show, run=run, executor=executor
    )
    await live.finish(summary(counts))
    get_run_logger().info("%s: %s in %.1f s", stage, summary(counts), time.perf_counter() - began)
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
    problems = journal_problems(counts.quarantined, counts.torn)
    line = "; ".join((line, *problems, *map(str, counts.adaptations)))
    return f"{line}; {counts.stopped}" if counts.stopped else line
