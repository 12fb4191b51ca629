"""What a program calls: builds and plans as functions, with the server that they need.

`llm_redial` exports them; the command line calls them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.options import BuildOptions
from flows.progress import SILENT, Progress
from tasks.settings import Home

if TYPE_CHECKING:
    from flows.build_result import BuildResult


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
    from flows.preflight import check_build, held_job, read_job
    from flows.server.ephemeral import run_flow

    home = Home.find(Path(data) if data else None)
    job = read_job(home, domain, options)

    async def start() -> Any:
        from flows.build import build as build_flow

        return await build_flow(domain, options, str(home.data), return_state=True)

    # A mistake, or another build of this domain, is reported before anything is started.
    with held_job(job, check_build):
        result: BuildResult = run_flow(home, domain, progress, start)
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
    from flows.preflight import check_build, check_inputs, held_job, read_job
    from flows.server.ephemeral import run_flow

    home = Home.find(Path(data) if data else None)
    job = read_job(home, domain, options)
    names = list(models) or None

    async def start() -> Any:
        from flows.plan import plan as plan_flow

        return await plan_flow(domain, names, sample, options, str(home.data), return_state=True)

    with held_job(job, check_build if sample else check_inputs):
        rows: list[dict[str, Any]] = run_flow(
            home, domain, progress, start, warm=("flows.plan", "litellm")
        )
    return rows
