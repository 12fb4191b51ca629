"""The rounds of a build: dialogues are asked for, read and judged, and rejected ones repaired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from flows.generation import ask, run_asking
from flows.judging import ask_judges, forget_judges
from flows.pipeline import GENERATE, JUDGE, PARSE, PREPARATION, VERDICTS, asking_stage
from flows.stage_runner import StageRun, run_stage, stage_run
from flows.stages import Context, Records
from tasks.generate import GenerateCounts, first_unpaid, parts
from tasks.llm import OFFLINE, RunStopped
from tasks.quality import rule_sentences
from tasks.repair import (
    common_fault,
    escalates,
    forget_attempts,
    forget_beyond,
    has_attempt,
    next_briefs,
    recent_fault,
    rejected_before,
    unanswered,
)
from tasks.warehouse import Connection, StageRecord, made_from, read_inputs, read_record

FindFault = Callable[[Connection, str], RunStopped | None]
"""Returns why a run of a domain must end, after what was judged."""


@dataclass
class Written:
    """What the rounds came to.

    Attributes:
        records: what each stage of the build has written; of the attempts those of the last round.
        stopped: why asking ended early, if it did.
        is_tried: whether the first answers were judged before the rest was asked for.
    """

    records: dict[str, StageRecord] = field(default_factory=dict)
    stopped: RunStopped | None = None
    is_tried: bool = False


async def prepare(context: Context) -> dict[str, StageRecord]:
    """Run the stages before the first request, and return what they have written.

    Raises UserError.
    """
    records: dict[str, StageRecord] = {}
    for stage in PREPARATION:
        records[stage.name] = await run_stage(stage, context, records)
    return records


async def write_dialogues(
    context: Context, prepared: Records, chosen: Sequence[str] | None = None
) -> Written:
    """Ask, read and judge in rounds, and say how each brief has ended.

    One round is for all briefs; with a target of accepted dialogues there are as many as it takes.

    Args:
        context: the run.
        prepared: what the stages before the first request have written.
        chosen: ids of briefs, for one round that asks for these alone.
    """
    written = Written(dict(prepared))
    wanted = context.options.accepted if chosen is None else None
    while True:
        with context.warehouse.use() as con:
            ids = next_briefs(con, wanted) if chosen is None else chosen
        if ids or VERDICTS.name not in written.records:
            written.records = dict(prepared)
            await _round(context, written, ids)
            written.records[VERDICTS.name] = await run_stage(VERDICTS, context, written.records)
        if not ids or wanted is None or written.stopped:
            return written


async def _round(context: Context, written: Written, ids: Sequence[str]) -> None:
    """Ask for some briefs and repair what is rejected, attempt by attempt.

    It ends when nothing is left to repair, or the run must stop. What an earlier run made at
    attempts that this one does not come to is deleted: it was made with another `max_attempts`, or
    repairs what is not rejected any more. Only a run that was stopped keeps it, as far as it is
    still what would be made.
    """
    settings = context.domain.generate
    most = settings.max_attempts
    for attempt in range(1, most + 1):
        if attempt > 1:
            with context.warehouse.use() as con:
                ids = rejected_before(con, attempt, failed=escalates(settings, attempt))
        if attempt > 1 and not ids:
            _forget_beyond(context, attempt - 1)
            return
        if attempt == 1:
            await _ask_in_parts(context, written, ids)
        if not written.stopped:
            await _ask_and_judge(context, written, attempt, ids)
        if written.stopped:
            await _keep_later(context, written, attempt + 1)
            return
    _forget_beyond(context, most)


async def _ask_in_parts(context: Context, written: Written, ids: Sequence[str]) -> None:
    """Ask for a few briefs, then for more and more, and judge each part before the next one.

    The run ends here if all of the first few break the same rule, or 20 of the last 25 later. What
    is asked for last is left to the caller. What is stored already costs nothing and says nothing
    about the model as it is now.
    """
    settings = context.domain.generate
    first = settings.limits.stop_after_rejected
    if settings.model.startswith(OFFLINE) or not first:
        return
    ends = list(parts(settings.at_attempt(1), len(ids)))
    is_tried, written.is_tried = written.is_tried or settings.mode == "batch", True
    if is_tried and not ends:
        return
    few = await _first_unpaid(context, written, ids, first)
    if not first == len(few) < len(ids):
        return
    sentences = rule_sentences(context.specifications.suites)
    if not is_tried:
        find = partial(common_fault, ids=few, sentences=sentences)
        await _ask_and_check(context, written, few, find)
    for end in ends:
        if written.stopped:
            return
        find = partial(recent_fault, run_id=context.run_id, sentences=sentences)
        await _ask_and_check(context, written, ids[:end], find)


async def _ask_and_check(
    context: Context, written: Written, ids: Sequence[str], find: FindFault
) -> None:
    """Ask for some briefs and judge them; the run ends if they have a fault in common."""
    await _ask_and_judge(context, written, 1, ids)
    if written.stopped:
        return
    with closing(context.warehouse), context.warehouse.use() as con:
        written.stopped = find(con, context.domain.name)


async def _first_unpaid(
    context: Context, written: Written, ids: Sequence[str], most: int
) -> list[str]:
    """Return the first briefs for whose first attempt something must be paid."""
    run = stage_run(GENERATE, context, written.records)
    with closing(context.warehouse), context.warehouse.use() as con:
        if made_from(con, run.name, run.inputs.hash(run.name)):
            ids = unanswered(con, 1, ids)
        work = GENERATE.work(con, context, 1, ids)
        return await first_unpaid(con, work, context.domain.generate, most)


async def _ask_and_judge(
    context: Context, written: Written, attempt: int, ids: Sequence[str]
) -> None:
    name = asking_stage(attempt).named(attempt)
    written.records[name] = await _ask(context, written, attempt, ids)
    await _read_and_judge(context, written, attempt)


async def _read_and_judge(context: Context, written: Written, attempt: int) -> None:
    """Read the answers of an attempt, show the dialogues to the judge, if any, and judge them."""
    records = written.records
    records[PARSE.named(attempt)] = await run_stage(PARSE, context, records, attempt)
    if context.domain.quality.judge.model:
        judged, written.stopped = await ask_judges(context, records, attempt, written.stopped)
        records[judged.stage] = judged
    else:
        forget_judges(context, attempt)
    records[JUDGE.named(attempt)] = await run_stage(JUDGE, context, records, attempt)


async def _keep_later(context: Context, written: Written, first: int) -> None:
    """Take over later attempts of an earlier run; read and judge them as they would be now.

    This run was stopped before it came to them. They stay while code, settings and files of their
    asking are what they were then, so that what was paid for is released. What they were asked
    about may have grown since: the next run that is not stopped asks them again, mostly from the
    store.
    """
    most = context.domain.generate.max_attempts
    for attempt in range(first, most + 1):
        stage = asking_stage(attempt)
        name = stage.named(attempt)
        with context.warehouse.use() as con:
            before, record = read_inputs(con, name), read_record(con, name)
            is_there = has_attempt(con, attempt)
        is_same = before is not None and before.own() == stage.made_by(context)
        if record is None or not is_there or not is_same:
            _forget_beyond(context, attempt - 1)
            return
        written.records[name] = record
        await _read_and_judge(context, written, attempt)
    _forget_beyond(context, most)


def _forget_beyond(context: Context, last: int) -> None:
    with context.warehouse.use() as con:
        forget_beyond(con, last)


async def _ask(context: Context, written: Written, attempt: int, ids: Sequence[str]) -> StageRecord:
    """Ask for what is unanswered of one attempt."""
    run = stage_run(asking_stage(attempt), context, written.records, attempt)
    asks = partial(_ask_for, run=run, ids=ids)
    record, written.stopped = await run_asking(run, forget_attempts, asks, written.stopped)
    return record


async def _ask_for(con: Connection, *, run: StageRun, ids: Sequence[str]) -> list[GenerateCounts]:
    missing = unanswered(con, run.attempt, ids)
    if not missing:
        return []
    work = run.stage.work(con, run.context, run.attempt, missing)
    return [await ask(con, run.context, run.name, work)]
