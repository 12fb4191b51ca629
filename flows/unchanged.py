"""A build that would change nothing: found out without Prefect, and answered by what is there.

Its stages would all be taken from the cache, it would ask nothing, confirm its release and write
the same pages. Prefect and its server take longer to start than all of that. So where the newest
run was of the same settings, sources and code, came to its end, and every stage still holds what it
wrote, the build is that run, and no other is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from flows.build_ending import MOST_RUNS, funnel_tables, table_3
from flows.build_result import BuildResult
from flows.derived_inputs import source_hashes
from flows.lineage_sender import is_wanted
from flows.pipeline import JUDGE, PARSE, PREPARATION, VERDICTS, asking_stage
from flows.preflight import Job
from flows.progress import Progress
from flows.stages import Context, Records, Stage, new_context
from tasks.errors import UserError
from tasks.funnel import cost_totals, read_funnel
from tasks.history import history_page, history_rows, read_history
from tasks.llm import IN_PROCESS
from tasks.marks import log_path
from tasks.release import verify_release
from tasks.repair import escalates, has_attempt, next_briefs, rejected_before, unanswered
from tasks.reports import PublishedPages, published_pages
from tasks.runs import RecordedRun, code_version, config_hash, newest_run, portable
from tasks.statistics import warehouse_statistics
from tasks.warehouse import Connection, StageRecord, is_unchanged, read_record, read_warehouse

NO_RUN = "none"  # nothing was paid in it


def unchanged_build(job: Job, progress: Progress) -> BuildResult | None:
    """Return what a build would come to if it changes nothing; None if it has anything to do.

    The job's domain is held by this process.
    """
    try:
        found = _found(job)
    except UserError:  # as of a warehouse of an earlier version: the build itself says what it is
        return None
    if found is None:
        return None
    result, records = found
    progress.stage("run", "cached", f"nothing has changed since run {result.run_id}")
    for name, record in records.items():
        progress.stage(name, "cached", f"{record.rows:,} rows")
    return result


def _found(job: Job) -> tuple[BuildResult, Records] | None:
    """Return what a build would come to and what its stages hold; None if it has anything to do."""
    home, domain = job.home, job.specifications.domain
    if not _is_plain(job) or not home.warehouse(domain.name).exists():
        return None
    context = new_context(home, job.specifications, NO_RUN, job.options)
    context = replace(context, sources=source_hashes(domain))
    with read_warehouse(home.warehouse(domain.name)) as con:
        run = newest_run(con)
        pages = _pages_of(context, run) if run else None
        if run is None or pages is None:
            return None
        stages = _Stages(con, context)
        if not stages.all_unchanged():
            return None
        return _result(con, context, run, pages), stages.records


def _is_plain(job: Job) -> bool:
    """Return True if nothing but the warehouse says whether the build has anything to do."""
    domain, options = job.specifications.domain, job.options
    models = [settings.model for settings in domain.generate.each_model()]
    return (
        all(model.startswith(IN_PROCESS) for model in models)
        and domain.quality.judge.model is None
        and options.accepted is None
        and not options.pseudonymise
        and not is_wanted(domain.lineage.to)
    )


def _pages_of(context: Context, run: RecordedRun) -> PublishedPages | None:
    """Return the pages of a run that this build would repeat; None if it would make others."""
    home, domain = context.home, context.domain
    same = (
        (run.flow, run.state, run.code_version) == ("build", "completed", code_version())
        and run.config == portable(domain)
        and run.sources == context.sources
    )
    if not same or not run.release or _marked_since(context, run):
        return None
    verify_release(home.releases(domain.name) / run.release)
    pages = published_pages(home, domain.name, run.run_id)
    wanted = [*pages.latest.values(), *pages.run.values(), history_page(home, domain.name)]
    return pages if all(page.is_file() for page in wanted) else None


def _marked_since(context: Context, run: RecordedRun) -> bool:
    """Return True if somebody marked a dialogue after a run: its pages would show it."""
    log = log_path(context.home, context.domain.name)
    if not log.exists() or run.finished_at is None:
        return log.exists()
    return log.stat().st_mtime >= run.finished_at.replace(tzinfo=UTC).timestamp()


@dataclass
class _Stages:
    """The stages of a build, in the order in which it would come to them."""

    con: Connection
    context: Context
    records: dict[str, StageRecord] = field(default_factory=dict)

    def all_unchanged(self) -> bool:
        """Return True if every stage would be taken from the cache, and nothing is to be asked."""
        return all(self._unchanged())

    def _unchanged(self) -> Iterator[bool]:
        yield from (self._holds(stage) for stage in PREPARATION)
        settings = self.context.domain.generate
        ids, last = next_briefs(self.con, None), 0
        for attempt in range(1, settings.max_attempts + 1):
            if attempt > 1:
                failed = escalates(settings, attempt)
                ids = rejected_before(self.con, attempt, failed=failed)
            if not ids:
                break
            yield self._holds(asking_stage(attempt), attempt)
            yield not unanswered(self.con, attempt, ids)
            yield from (self._holds(stage, attempt) for stage in (PARSE, JUDGE))
            last = attempt
        yield not has_attempt(self.con, last + 1)
        yield self._holds(VERDICTS)

    def _holds(self, stage: Stage, attempt: int = 1) -> bool:
        """Return True if a stage's tables hold what it would write."""
        name = stage.named(attempt)
        inputs = stage.inputs(self.context, attempt, self.records)
        record = read_record(self.con, name)
        if record is None or not is_unchanged(self.con, name, inputs.hash(name)):
            return False
        self.records[name] = record
        return True


def _result(
    con: Connection, context: Context, run: RecordedRun, pages: PublishedPages
) -> BuildResult:
    home, domain = context.home, context.domain
    release: Path = home.releases(domain.name) / run.release
    tables: dict[str, Any] = funnel_tables(read_funnel(con))
    return BuildResult(
        domain=domain.name,
        run_id=run.run_id,
        state=run.state,
        message="",
        release=release,
        version=run.release,
        config_hash=config_hash(domain),
        code_version=run.code_version,
        statistics=table_3(warehouse_statistics(con)),
        cost=cost_totals(con, NO_RUN),
        pages=pages.latest,
        run_pages={**pages.run, "history": history_page(home, domain.name)},
        history=history_rows(read_history(con, domain.name))[-MOST_RUNS:],
        **tables,
    )
