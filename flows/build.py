"""The main job as a Prefect flow: real reviews in, a released dataset out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.artifacts import show_result
from flows.build_ending import end_lost_build, finish_build, finish_unreleased, record_unfinished
from flows.build_result import BuildResult
from flows.dask_generation import Cluster
from flows.derived_inputs import source_hashes
from flows.lineage_events import build_events, stage_events
from flows.options import BuildOptions
from flows.pipeline import PLAN, RELEASE
from flows.preflight import Job, check_build, held_job, read_job
from flows.probing import with_known_model
from flows.project_flow import project_flow
from flows.rounds import prepare, write_dialogues
from flows.run_names import name_run, short
from flows.run_states import EndedEarly, outcome
from flows.stages import Context, Records, new_context
from tasks.errors import UserError
from tasks.funnel import causes, causes_text, provider_is_down
from tasks.marks import load_marks, read_log
from tasks.release import ReleaseInfo
from tasks.repair import accepted_of
from tasks.runs import describe_run, start_run
from tasks.settings import Home

Choose = Callable[[Context, Records], Awaitable[Sequence[str]]]
"""Returns the ids of the briefs that a run asks for, once the stages before have run."""


@project_flow("build")
async def build(
    domain: str, options: BuildOptions = BuildOptions(), data: str = ""
) -> State[BuildResult]:
    """Build a domain's dataset.

    Args:
        domain: name of a domain file, without .yaml.
        options: choices laid over the domain file.
        data: data folder in place of the project's own.

    Returns:
        What was released, the funnel and the statistics, in a state whose name says how the run
        ended; a UserError in a failed state when it is a mistake that the user can correct.
    """
    return outcome(await run_build(domain, options, data))


async def run_build(
    domain: str, options: BuildOptions, data: str, name: str = "build", choose: Choose | None = None
) -> BuildResult:
    """Build a domain's dataset and return what it came to.

    Args:
        domain: name of a domain file, without .yaml.
        options: choices laid over the domain file.
        data: data folder in place of the project's own; empty for that one.
        name: what the run is called.
        choose: returns the briefs that are asked for; all that the options want if not given.

    Raises:
        UserError: a mistake that the user can correct.
    """
    job = await _named_job(Home.find(Path(data) if data else None), domain, options, name)
    run_id = str(flow_run.get_id() or "none")
    context = new_context(job.home, job.specifications, run_id, options)
    with (
        held_job(job, check_build),
        Cluster(options.dask) if options.dask else nullcontext() as cluster,
        closing(context.warehouse),
    ):
        context = await with_known_model(context)
        context = replace(context, sources=source_hashes(context.domain), cluster=cluster)
        with build_events(context) as lineage:
            return await _recorded_build(replace(context, lineage=lineage), name, choose)


async def _named_job(home: Home, domain: str, options: BuildOptions, name: str) -> Job:
    """Return what a run is to do, with its settings read, and give the run its name.

    Raises UserError; the run is named all the same.
    """
    try:
        job = read_job(home, domain, options)
    except UserError:
        await name_run(name, domain)
        raise
    await name_run(name, domain, short(job.specifications.domain.generate.model))
    return job


async def _recorded_build(context: Context, name: str, choose: Choose | None) -> BuildResult:
    """Build, and leave on record how it began and ended, whatever way that was."""
    _end_lost_build(context)
    _note_start(context)
    ending = _Ending()
    try:
        result = await _run(context, ending, name, choose)
        ending.recorded = True
    except UserError as error:
        ending.state = error.reason if isinstance(error, EndedEarly) else "failed"
        ending.message = str(error)
        raise
    finally:
        if not ending.recorded:
            await _leave_evidence(context, ending)
    if context.lineage:
        context.lineage.result = result
    await show_result(context, result)
    return result


@dataclass
class _Ending:
    """How a build is about to end, as far as it is known."""

    state: str = "failed"
    message: str = ""
    asking: bool = False  # from its first request on there is something to look at
    recorded: bool = False  # by its result


async def _leave_evidence(context: Context, ending: _Ending) -> None:
    """Record a build that has no result.

    If it came to asking, leave pages and artifacts as one that has a result does.
    """
    if not ending.asking:
        record_unfinished(context, ending.state)
        return
    try:
        result = finish_unreleased(context, ending.state, ending.message)
    except UserError as error:  # what ended the build is to be told, not this
        get_run_logger().warning("the pages of this run could not be written: %s", error)
        record_unfinished(context, ending.state)
        return
    await show_result(context, result)


def _end_lost_build(context: Context) -> None:
    """Write the pages of a build before this one that lost its process.

    This one begins whether or not they can be written.
    """
    try:
        end_lost_build(context)
    except UserError as error:
        get_run_logger().warning(
            "the pages of the build before, which was lost, could not be written: %s", error
        )


def _note_start(context: Context) -> None:
    run = describe_run(context.run_id, context.run_id, "build", context.domain)
    with context.warehouse.use() as con:
        start_run(con, run, context.sources)
        load_marks(con, read_log(context.home, context.domain.name))


async def _run(context: Context, ending: _Ending, name: str, choose: Choose | None) -> BuildResult:
    prepared = await prepare(context)
    ids = await choose(context, prepared) if choose else None
    ending.asking = True
    await name_run(
        name,
        context.domain.name,
        f"{prepared[PLAN.name].rows if ids is None else len(ids):,} briefs",
        short(context.domain.generate.model),
    )
    written = await write_dialogues(context, prepared, ids)
    stopped = written.stopped
    if not _has_accepted(context):
        if stopped:
            raise EndedEarly(stopped.reason, f"{stopped}; there is no accepted dialogue yet")
        _check_provider(context)
    return finish_build(context, written, _release(context))


def _check_provider(context: Context) -> None:
    """Raise EndedEarly if no server answered any brief: too few for the circuit breaker to open."""
    with context.warehouse.use() as con:
        found = causes(con)
    if provider_is_down(found):
        raise EndedEarly("breaker", f"no dialogue yet: {causes_text(found, context.domain.name)}")


def _has_accepted(context: Context) -> bool:
    """Return True if there is any dialogue to release."""
    with context.warehouse.use() as con:
        return accepted_of(con) > 0


def _release(context: Context) -> ReleaseInfo:
    with (
        stage_events(context.lineage, RELEASE.name) as ending,
        context.warehouse.use() as con,
    ):
        release: ReleaseInfo = RELEASE.work(con, context, 1)
        ending.release = release
        return release
