"""Asks again for chosen briefs of a build: what it comes to is a build like any other."""

from __future__ import annotations

from contextlib import closing

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger

from flows.build import run_build
from flows.build_result import BuildResult
from flows.options import BuildOptions
from flows.pipeline import GENERATE
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_states import outcome
from flows.stage_runner import stage_run
from flows.stages import Context, Records
from tasks.errors import UserError
from tasks.generate import Plan, plan_work
from tasks.llm import KnownAnswers
from tasks.repair import Retry, briefs_to_retry, forget_answers
from tasks.warehouse import made_from, transaction, why_redone


@project_flow("retry")
async def retry(
    domain: str,
    chosen: Retry,
    options: BuildOptions = BuildOptions(),  # noqa: B008 - frozen
    data: str = "",
) -> State[BuildResult]:
    """Ask again for chosen briefs of a domain, judge them and release what is accepted.

    Args:
        domain: name of a domain file, without .yaml.
        chosen: which briefs.
        options: choices laid over the domain file; those of the last build.
        data: data folder in place of the project's own.

    Returns:
        What `build` returns.
    """

    async def choose(context: Context, prepared: Records) -> list[str]:
        return await _choose(context, prepared, chosen)

    return outcome(await run_build(domain, options, data, "retry", choose))


async def _choose(context: Context, prepared: Records, chosen: Retry) -> list[str]:
    """Return the briefs to ask; their answers are outdated from here on.

    Raises UserError when nothing can be asked again.
    """
    name = context.domain.name
    run = stage_run(GENERATE, context, prepared)
    with closing(context.warehouse), context.warehouse.use() as con:
        if not made_from(con, run.name, run.inputs.hash(run.name)):
            raise UserError(
                f"{name} was not built with these settings ({why_redone(con, run.name, run.inputs)}"
                f"): run `redial build {name}`, or retry with the options of the last build"
            )
        ids = briefs_to_retry(con, name, chosen)
        work = GENERATE.work(con, context, 1, ids)
        settings = context.domain.generate.at_attempt(work.rollout.attempt)
        (plan,) = await plan_work(
            con, work, [settings], seed=context.domain.seed, stored=KnownAnswers({})
        )
        forecast = _forecast(plan)
        CURRENT.get().stage("retry", "done", forecast)
        get_run_logger().info("retry: %s", forecast)
        with transaction(con):
            forget_answers(con, ids)
    return ids


def _forecast(plan: Plan) -> str:
    dollars = "of unknown price" if plan.dollars is None else f"about ${plan.dollars.value:.4f}"
    return (
        f"{plan.dialogues:,} briefs are asked again, {round(plan.calls.value):,} calls, {dollars}; "
        "repairs come on top"
    )
