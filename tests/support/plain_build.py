"""A build without Prefect: the same checks and stages called one after the other.

For tests, and as a yardstick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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

# Small, and with repairs: several tests look at one such build.
REPAIRED = BuildOptions(max_dialogues=30, seed=3, max_attempts=2)
REPAIRED_RUN = "run-of-the-test"


@dataclass(frozen=True)
class BuiltDemo:
    """A build of the demo that several tests look at; whoever changes it makes a copy."""

    home: Home
    release: ReleaseInfo


def build_repaired_demo(data: Path) -> BuiltDemo:
    """Build the demo in a data folder, with 30 dialogues and repairs."""
    home = Home.find(data)
    return BuiltDemo(home, plain_build(home, "demo", REPAIRED, run_id=REPAIRED_RUN))


def plain_build(
    home: Home, domain: str, options: BuildOptions | None = None, run_id: str = "plain"
) -> ReleaseInfo:
    """Build a domain that was not built before."""
    chosen = options or BuildOptions()
    context = _context(home, domain, chosen, run_id)
    check_build(home, context.domain, chosen)
    with domain_lock(home, domain):
        records = _dialogues(context, _plan(context), chosen)
        info = steps.release(context, chosen, steps.source_hashes(context))
        finish_build(context, Written(records), info)
    return info


def plain_briefs(home: Home, domain: str, options: BuildOptions) -> None:
    """Build a domain as far as its briefs."""
    _plan(_context(home, domain, options, "plain"))


def plain_dialogues(home: Home, domain: str, options: BuildOptions, run_id: str) -> None:
    """Build a domain as far as its verdicts; nothing is released."""
    context = _context(home, domain, options, run_id)
    _dialogues(context, _plan(context), options)


def _context(home: Home, domain: str, options: BuildOptions, run_id: str) -> Context:
    return Context(home, load_domain(home, domain, options.over()), run_id)


def _plan(context: Context) -> Planned:
    """Start a run and plan its briefs."""
    sources = steps.source_hashes(context)
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        run = describe_run(context.run_id, context.run_id, "build", context.domain)
        start_run(con, run, sources)
    ingested = _run(steps.ingesting(context, sources), context)
    prepared = _run(steps.preprocessing(context), context, ingested)
    return Planned(ingested, prepared, _run(steps.planning(context), context, ingested, prepared))


def _dialogues(context: Context, planned: Planned, options: BuildOptions) -> list[StageRecord]:
    """Write and judge the dialogues of the briefs."""
    records = _write(context, planned, options)
    _run(steps.verdicts(context), context, planned.briefs, *records)
    return records


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
