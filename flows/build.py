"""The main job as a Prefect flow: real reviews in, a released dataset out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows import steps
from flows.artifacts import show_result
from flows.build_ending import end_lost_build, finish_build, finish_unreleased, record_unfinished
from flows.build_result import BuildResult
from flows.dask_generation import Cluster
from flows.generation import write_dialogues
from flows.lineage_events import build_events, stage_events
from flows.logs import keep_logs_plain
from flows.options import BuildOptions
from flows.preflight import check_build
from flows.preparation import prepare
from flows.run_names import name_run, short
from flows.run_states import EndedEarly, ended_early, outcome, refused
from flows.server.instance_lock import exit_when_server_stops
from flows.server.webhooks import tell, tell_crash, tell_if_cancelled
from flows.stages import Context
from tasks.errors import UserError
from tasks.marks import load_marks, read_log
from tasks.runs import describe_run, start_run
from tasks.settings import Home, load_domain
from tasks.warehouse import domain_lock, open_warehouse


@flow(name="build", retries=0, on_completion=[tell], on_failure=[tell], on_crashed=[tell_crash])
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
    keep_logs_plain()
    exit_when_server_stops()
    try:
        state = outcome(await _build(domain, options, data))
    except EndedEarly as error:
        state = ended_early(error)
    except UserError as error:
        state = refused(error)
    await tell_if_cancelled(state)
    return state


async def _build(domain: str, options: BuildOptions, data: str) -> BuildResult:
    home = Home.find(Path(data) if data else None)
    context = Context(
        home, load_domain(home, domain, options.over()), str(flow_run.get_id() or "none")
    )
    await name_run("build", domain, short(context.domain.generate.model))
    check_build(home, context.domain, options)
    with (
        Cluster(options.dask) if options.dask else nullcontext() as cluster,
        domain_lock(home, domain),
    ):
        context = replace(context, cluster=cluster)
        sources = steps.source_hashes(context)
        with build_events(home, context.domain, context.run_id, sources) as lineage:
            return await _recorded_build(replace(context, lineage=lineage), options, sources)


async def _recorded_build(
    context: Context, options: BuildOptions, sources: dict[str, str]
) -> BuildResult:
    """Build, and leave on record how it began and ended, whatever way that was."""
    _end_lost_build(context)
    _note_start(context, sources)
    ending = _Ending()
    try:
        result = await _run(context, options, sources, ending)
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


def _note_start(context: Context, sources: dict[str, str]) -> None:
    run = describe_run(context.run_id, context.run_id, "build", context.domain)
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        start_run(con, run, sources)
        load_marks(con, read_log(context.home, context.domain.name))


async def _run(
    context: Context, options: BuildOptions, sources: dict[str, str], ending: _Ending
) -> BuildResult:
    planned = await prepare(context, sources)
    ending.asking = True
    await name_run(
        "build",
        context.domain.name,
        f"{planned.briefs.rows:,} briefs",
        short(context.domain.generate.model),
    )
    written = await write_dialogues(context, options, planned)
    if written.stopped and not steps.has_accepted(context):
        raise EndedEarly(
            written.stopped.reason, f"{written.stopped}; there is no accepted dialogue yet"
        )
    with stage_events(context.lineage, "release") as released:
        released.release = release = steps.release(context, options, sources)
    return finish_build(context, written, release)
