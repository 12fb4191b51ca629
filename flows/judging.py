"""The judges of the quality gate: dialogues that were read are shown to them, before the gate."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from flows.generation import ask, run_asking
from flows.pipeline import ASK_JUDGE
from flows.stage_runner import StageRun, stage_run
from flows.stages import Context, Records
from tasks.generate import GenerateCounts
from tasks.judge import forget_verdicts, judge_settings, to_be_confirmed, to_be_judged
from tasks.llm import RunStopped
from tasks.warehouse import Connection, StageRecord, forget_stages


async def ask_judges(
    context: Context, records: Records, attempt: int, stopped: RunStopped | None
) -> tuple[StageRecord, RunStopped | None]:
    """Ask for verdicts on the dialogues of an attempt that want one.

    The judge that confirms is asked about what the first one rejects.

    Args:
        context: the run.
        records: what the stages before have written.
        attempt: the attempt whose dialogues are judged.
        stopped: why nothing may be sent any more, if so.

    Returns:
        The stage's record, and why asking ended early, if it did.
    """
    run = stage_run(ASK_JUDGE, context, records, attempt)
    return await run_asking(run, forget_verdicts, partial(_ask_each, run=run), stopped)


async def _ask_each(con: Connection, *, run: StageRun) -> list[GenerateCounts]:
    """Ask the first judge, then the one that confirms; return how each asking ended."""
    domain, attempt = run.context.domain, run.attempt
    counts = []
    first = judge_settings(domain)
    ids = to_be_judged(con, domain, attempt)
    if first and ids:
        work = run.stage.work(con, run.context, attempt, ids, "judge")
        counts.append(await ask(con, run.context, run.name, work, first))
    confirms = judge_settings(domain, confirms=True)
    if any(one.stopped for one in counts) or confirms is None:
        return counts
    ids = to_be_confirmed(con, attempt)
    if ids:
        work = run.stage.work(con, run.context, attempt, ids, "confirm")
        counts.append(await ask(con, run.context, f"{run.name}-confirm", work, confirms))
    return counts


def forget_judges(context: Context, attempt: int) -> None:
    """Delete what judges said of an attempt in an earlier run of a domain that has none now."""
    with closing(context.warehouse), context.warehouse.use() as con:
        forget_verdicts(con, attempt)
        forget_stages(con, [ASK_JUDGE.named(attempt)])
