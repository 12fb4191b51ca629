"""A build without Prefect: the same checks and stages called one after the other.

For tests, and as a yardstick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flows.build_ending import finish_build
from flows.derived_inputs import source_hashes
from flows.options import BuildOptions
from flows.pipeline import (
    ASK_JUDGE,
    INGEST,
    JUDGE,
    PARSE,
    PLAN,
    PREPROCESS,
    RELEASE,
    VERDICTS,
    asking_stage,
)
from flows.preflight import check_build, held_job, read_job
from flows.rounds import Written
from flows.stage_runner import stage_run
from flows.stages import Context, Stage, new_context
from tasks.generate import generate_transcripts
from tasks.judge import judge_settings, to_be_judged
from tasks.release import ReleaseInfo
from tasks.repair import (
    escalates,
    forget_attempts,
    next_briefs,
    rejected_before,
    unanswered,
)
from tasks.runs import describe_run, start_run
from tasks.settings import Home
from tasks.warehouse import StageRecord, transaction

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
    """Build a domain; nothing but stored answers is taken from an earlier build."""
    with _started(home, domain, options or BuildOptions(), run_id) as context:
        records: dict[str, StageRecord] = {}
        _plan(context, records)
        _write(context, records)
        with context.warehouse.use() as con:
            info: ReleaseInfo = RELEASE.work(con, context, 1)
        finish_build(context, Written(records), info)
    return info


def plain_briefs(home: Home, domain: str, options: BuildOptions) -> None:
    """Build a domain as far as its briefs."""
    with _started(home, domain, options, "plain") as context:
        _plan(context, {})


def plain_dialogues(home: Home, domain: str, options: BuildOptions, run_id: str) -> None:
    """Build a domain as far as its verdicts; nothing is released."""
    with _started(home, domain, options, run_id) as context:
        records: dict[str, StageRecord] = {}
        _plan(context, records)
        _write(context, records)


@contextmanager
def _started(home: Home, domain: str, options: BuildOptions, run_id: str) -> Iterator[Context]:
    """Within the block, hold the domain for a run that has been recorded as started."""
    job = read_job(home, domain, options)
    context = new_context(home, job.specifications, run_id, job.options)
    with held_job(job, check_build), closing(context.warehouse):
        context = replace(context, sources=source_hashes(context.domain))
        with context.warehouse.use() as con:
            run = describe_run(run_id, run_id, "build", context.domain)
            start_run(con, run, context.sources)
        yield context


def _plan(context: Context, records: dict[str, StageRecord]) -> None:
    for stage in (INGEST, PREPROCESS, PLAN):
        _run(stage, context, records)


def _run(stage: Stage, context: Context, records: dict[str, StageRecord], attempt: int = 1) -> None:
    run = stage_run(stage, context, records, attempt)
    with context.warehouse.use() as con, transaction(con):
        stage.work(con, context, attempt)
        records[run.name] = run.record(con)


def _write(context: Context, records: dict[str, StageRecord]) -> None:
    """Write and judge the dialogues of the briefs."""
    settings = context.domain.generate
    with context.warehouse.use() as con:
        ids: Sequence[str] = next_briefs(con, context.options.accepted)
    for attempt in range(1, context.domain.generate.max_attempts + 1):
        if attempt > 1:
            with context.warehouse.use() as con:
                ids = rejected_before(con, attempt, failed=escalates(settings, attempt))
        if not ids:
            break
        _ask(context, attempt, ids, records)
        _run(PARSE, context, records, attempt)
        if context.domain.quality.judge.model:
            _ask_judge(context, attempt, records)
        _run(JUDGE, context, records, attempt)
    _run(VERDICTS, context, records)


def _ask(
    context: Context, attempt: int, ids: Sequence[str], records: dict[str, StageRecord]
) -> None:
    run = stage_run(asking_stage(attempt), context, records, attempt)
    settings = context.domain.generate.at_attempt(attempt)
    journals = context.home.journals(context.domain.name)
    with context.warehouse.use() as con:
        forget_attempts(con, attempt)
        work = run.stage.work(con, context, attempt, unanswered(con, attempt, ids))
        asyncio.run(generate_transcripts(con, work, settings, journals, context.run_id))
        records[run.name] = run.record(con)


def _ask_judge(context: Context, attempt: int, records: dict[str, StageRecord]) -> None:
    run = stage_run(ASK_JUDGE, context, records, attempt)
    settings = judge_settings(context.domain)
    assert settings is not None
    journals = context.home.journals(context.domain.name)
    with context.warehouse.use() as con:
        ids = to_be_judged(con, context.domain, attempt)
        work = run.stage.work(con, context, attempt, ids, "judge")
        asyncio.run(generate_transcripts(con, work, settings, journals, context.run_id))
        records[run.name] = run.record(con)
