"""The main job as a Prefect flow: real reviews in, a released dataset out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows import steps
from flows.artifacts import show_result
from flows.collecting import finish_build, record_unfinished
from flows.fanout import Cluster
from flows.generation import write_dialogues
from flows.leash import follow_server
from flows.logs import keep_logs_plain
from flows.notifying import tell
from flows.options import BuildOptions
from flows.outcomes import EndedEarly, ended_early, given_up, outcome, refused
from flows.preflight import check_build
from flows.preparation import prepare
from flows.results import BuildResult
from flows.stages import Context
from tasks.errors import UserError
from tasks.marks import load_marks, read_log
from tasks.runs import describe_run, start_run
from tasks.settings import Home, load_domain
from tasks.warehouse import domain_lock, open_warehouse


@flow(name="build", flow_run_name="build-{domain}", retries=0, on_completion=[tell], on_failure=[tell], on_crashed=[tell])
async def build(domain: str, options: BuildOptions = BuildOptions(), data: str = "") -> State[BuildResult]:  # noqa: B008 - frozen
    """Build a domain's dataset.

    Args:
        domain: name of a domain file, without .yaml.
        options: choices laid over the domain file.
        data: data folder in place of the project's own.

    Returns:
        What was released, the funnel and the statistics, in a state whose name says how the run ended; a UserError in a
        failed state when it is a mistake the user can put right.
    """
    keep_logs_plain()
    follow_server()
    try:
        return given_up() or outcome(await _build(domain, options, data))
    except EndedEarly as error:
        return ended_early(error)
    except UserError as error:
        return refused(error)


async def _build(domain: str, options: BuildOptions, data: str) -> BuildResult:
    home = Home.find(Path(data) if data else None)
    context = Context(home, load_domain(home, domain, options.over()), str(flow_run.get_id() or "none"))
    check_build(home, context.domain, options)
    with Cluster(options.dask) if options.dask else nullcontext() as cluster, domain_lock(home, domain):
        context = replace(context, cluster=cluster)
        sources = steps.source_hashes(context)
        _note_start(context, sources)
        ended_as = "failed"
        try:
            result = await _run(context, options, sources)
            ended_as = ""  # as it says itself, on record already
        except EndedEarly as error:
            ended_as = error.reason
            raise
        finally:
            if ended_as:
                record_unfinished(context, ended_as)
        await show_result(context, result)
    return result


def _note_start(context: Context, sources: dict[str, str]) -> None:
    run = describe_run(context.run_id, context.run_id, "build", context.domain)
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        start_run(con, run, sources)
        load_marks(con, read_log(context.home, context.domain.name))


async def _run(context: Context, options: BuildOptions, sources: dict[str, str]) -> BuildResult:
    planned = await prepare(context, sources)
    written = await write_dialogues(context, options, planned)
    if written.stopped and not steps.has_accepted(context):
        raise EndedEarly(written.stopped.reason, f"{written.stopped}; there is no accepted dialogue yet")
    release = steps.release(context, options, sources)
    return finish_build(context, written, release)
