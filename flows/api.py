"""What a program calls: builds and plans as functions, with the server that they need.

`llm_redial` exports them; the command line calls them too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.notices import notify_refused
from flows.options import BuildOptions
from flows.progress import SILENT, Progress
from tasks.errors import UserError
from tasks.machine import limit_libraries
from tasks.settings import Home, load_domain

if TYPE_CHECKING:
    from flows.build_result import BuildResult
    from flows.preflight import Job


def build(
    domain: str,
    options: BuildOptions = BuildOptions(),
    *,
    data: Path | str | None = None,
    progress: Progress = SILENT,
) -> BuildResult:
    """Build a domain's dataset: reviews in, released dialogues out.

    Stages already done are not done again. The run is one of the Prefect server that is
    configured, else of a private one that ends with it.

    Args:
        domain: name of a domain file, without .yaml.
        options: choices laid over the domain file.
        data: folder to read and write; REDIAL_DATA or the default one if not given.
        progress: where the run shows how far it is.

    Raises:
        UserError: a mistake in a setting or a file, or a build of this domain is running.
    """
    with _refusals_reported("build", domain, progress):
        job = _read(domain, options, data)

    async def start() -> Any:
        from flows.build import build as build_flow

        return await build_flow(domain, options, str(job.home.data), return_state=True)

    result: BuildResult = _run_held(job, progress, start, unless=_unchanged, told="build")
    return result


def retry(
    domain: str,
    brief_ids: Sequence[str] = (),
    options: BuildOptions = BuildOptions(),
    *,
    failed: bool = False,
    rejected: bool = False,
    empty: bool = False,
    data: Path | str | None = None,
    progress: Progress = SILENT,
) -> BuildResult:
    """Ask again for chosen briefs of a domain's last build, whatever is stored for them.

    Args:
        domain: name of a domain file, without .yaml.
        brief_ids: ids of briefs, or the first digits of each.
        options: choices laid over the domain file; those of the last build.
        failed: briefs that got no answer at all.
        rejected: briefs whose dialogue broke a rule to the end.
        empty: briefs whose answers said nothing.
        data: folder to read and write; REDIAL_DATA or the default one if not given.
        progress: where the run shows how far it is.

    Raises:
        UserError: no brief is as chosen, or as for `build`.
    """
    from tasks.dialogue_store import find_dialogue
    from tasks.repair import Retry, briefs_to_retry
    from tasks.warehouse import read_warehouse

    job = _read(domain, options, data)
    ids = tuple(find_dialogue(job.home, each, domain).dialogue_id for each in brief_ids)
    chosen = Retry(failed, rejected, empty, ids)
    with read_warehouse(job.home.warehouse(domain)) as con:
        briefs_to_retry(con, domain, chosen)

    async def start() -> Any:
        from flows.retry import retry as retry_flow

        return await retry_flow(domain, chosen, options, str(job.home.data), return_state=True)

    result: BuildResult = _run_held(job, progress, start)
    return result


def plan(
    domain: str,
    models: Sequence[str] = (),
    options: BuildOptions = BuildOptions(),
    *,
    sample: int | None = None,
    data: Path | str | None = None,
    progress: Progress = SILENT,
) -> list[dict[str, Any]]:
    """Estimate dialogues, tokens, dollars and hours of a build; nothing is sent without a sample.

    Args:
        domain: name of a domain file, without .yaml.
        models: litellm models, one row each; the domain's own if none.
        options: choices laid over the domain file.
        sample: briefs that are asked for in each order of the models, which is paid for; one row
            for each order, with what an accepted dialogue costs.
        data: folder to read and write; REDIAL_DATA or the default one if not given.
        progress: where the run shows how far it is.

    Raises:
        UserError: a mistake in a setting or a file, or a build of this domain is running.
    """
    job = _read(domain, options, data)
    names = list(models) or None

    async def start() -> Any:
        from flows.plan import plan as plan_flow

        folder = str(job.home.data)
        return await plan_flow(domain, names, sample, options, folder, return_state=True)

    rows: list[dict[str, Any]] = _run_held(
        job, progress, start, asks=bool(sample), warm=("flows.plan", "litellm"), beside=()
    )
    return rows


@contextmanager
def _refusals_reported(flow: str, domain: str, progress: Progress) -> Iterator[None]:
    """Report a mistake in the block as a run's hook would: no run has begun that could."""
    try:
        yield
    except UserError as error:
        if flow:
            notify_refused(flow, domain, str(error), progress)
        raise


def _read(domain: str, options: BuildOptions, data: Path | str | None) -> Job:
    home = Home.find(Path(data) if data else None)
    # Not later: polars takes its threads when it is imported.
    limit_libraries(load_domain(home, domain, options.over()).machine.machine())
    from flows.preflight import read_job

    return read_job(home, domain, options)


def _name_own_files(job: Job, progress: Progress) -> None:
    """Say which files are not the shipped ones, if any."""
    found, own = job.home.domain_file(job.domain), job.specifications.own_files()
    files = [job.home.name_of(found), *own] if job.home.is_own(found) else own
    if files:
        progress.stage("own files", "done", f"{', '.join(files)} of {job.home.data}")


def _unchanged(job: Job, progress: Progress) -> BuildResult | None:
    """Return what a build would come to if it changes nothing; None if it has anything to do."""
    if not job.home.warehouse(job.domain).exists():
        return None  # at once: what finds it out takes a second to import
    from flows.unchanged import unchanged_build

    return unchanged_build(job, progress)


def _run_held(
    job: Job,
    progress: Progress,
    start: Callable[[], Coroutine[Any, Any, Any]],
    *,
    asks: bool = True,
    unless: Callable[[Job, Progress], Any] = lambda job, progress: None,
    warm: Sequence[str] = ("flows.build",),
    beside: Sequence[str] = ("great_expectations", "matplotlib.backends.backend_svg"),
    told: str = "",
) -> Any:
    """Run a flow on a domain that is held for its length, and return what the flow came to.

    Args:
        job: what is run.
        progress: where the run shows how far it is.
        start: as for `run_flow`.
        asks: a model is asked, so it must be possible to ask it.
        unless: returns what the flow would come to, where that is known without running it.
        warm: as for `run_flow`.
        beside: as for `run_flow`.
        told: the flow, if its refusal before it starts is to be reported.
    """
    from flows.preflight import check_build, check_inputs, held_job
    from flows.server.ephemeral import ADDRESS, run_flow

    # A mistake, or another build of this domain, is reported before anything is started.
    with ExitStack() as held:
        with _refusals_reported(told, job.domain, progress):
            held.enter_context(held_job(job, check_build if asks else check_inputs))
        _name_own_files(job, progress)
        # A server that somebody chose has every run, also those that change nothing.
        known = None if os.environ.get(ADDRESS) else unless(job, progress)
        return known or run_flow(job.home, job.domain, progress, start, warm, beside)
