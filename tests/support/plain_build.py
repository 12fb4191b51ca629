"""A build without Prefect: the same checks and stages called one after the other.

For tests, and as a yardstick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flows import steps
from flows.build_ending import finish_build
from flows.generation import Written
from flows.options import BuildOptions
from flows.preflight import check_build
from flows.preparation import Planned
from flows.stages import Context, Stage
from tasks.generate import generate_transcripts
from tasks.release import ReleaseInfo
from tasks.repair import next_briefs, rejected_before, unanswered
from tasks.runs import describe_run, start_run
from tasks.settings import Home, load_domain
from tasks.warehouse import StageRecord, domain_lock, open_warehouse, record_stage, transaction


def plain_build(
    home: Home, domain: str, options: BuildOptions | None = None, run_id: str = "plain"
) -> ReleaseInfo:
    """Build a domain that was not built before."""
    chosen = options or BuildOptions()
    context = Context(home, load_domain(home, domain, chosen.over()), run_id)
    check_build(home, context.domain, chosen)
    with domain_lock(home, domain):
        sources = steps.source_hashes(context)
        with open_warehouse(home.warehouse(domain)) as con:
            start_run(con, describe_run(run_id, run_id, "build", context.domain), sources)
        ingested = _run(steps.ingesting(context, sources), context)
        prepared = _run(steps.preprocessing(context), context, ingested)
        planned = _run(steps.planning(context), context, ingested, prepared)
        records = _write(context, Planned(ingested, prepared, planned), chosen)
        _run(steps.verdicts(context), context, planned, *records)
        info = steps.release(context, chosen, sources)
        finish_build(context, Written(records), info)
    return info


def _run(stage: Stage, context: Context, *upstream: StageRecord) -> StageRecord:
    with open_warehouse(context.home.warehouse(context.domain.name)) as con, transaction(con):
        stage.work(con)
        return record_stage(con, stage.name, stage.inputs(upstream), stage.writes, context.run_id)


def _write(context: Context, planned: Planned, options: BuildOptions) -> list[StageRecord]:
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        ids: Sequence[str] = next_briefs(con, options.accepted)
    records: list[StageRecord] = []
    for attempt in range(1, context.domain.generate.max_attempts + 1):
        if attempt > 1:
            with open_warehouse(context.home.warehouse(context.domain.name)) as con:
                ids = rejected_before(con, attempt)
        if not ids:
            break
        asked = _ask(context, attempt, ids, planned.before_asking(records))
        parsed = _run(steps.parsing(context, attempt), context, *planned.before_reading(asked))
        judged = _run(
            steps.judging(context, attempt), context, *planned.before_judging(records, parsed)
        )
        records += [asked, parsed, judged]
    return records


def _ask(
    context: Context, attempt: int, ids: Sequence[str], upstream: Sequence[StageRecord]
) -> StageRecord:
    stage = steps.generating(context, attempt)
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        work = steps.work(con, context, attempt, unanswered(con, attempt, ids))
        journals = context.home.journals(context.domain.name)
        asyncio.run(
            generate_transcripts(con, work, context.domain.generate, journals, context.run_id)
        )
        return record_stage(con, stage.name, stage.inputs(upstream), stage.writes, context.run_id)
