"""What a build would take: the stages up to the briefs are run, nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from prefect.artifacts import acreate_table_artifact
from prefect.runtime import flow_run

from flows.artifacts import key
from flows.asked_work import judge_work
from flows.cascade import try_orders
from flows.derived_inputs import source_hashes
from flows.figures import table_rows
from flows.options import BuildOptions
from flows.pipeline import GENERATE
from flows.preflight import check_build, check_inputs, held_job, read_job
from flows.probing import with_known_facts
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.rounds import prepare
from flows.run_names import name_run
from flows.stages import Context, new_context
from tasks.briefs import ReadAhead
from tasks.calibration import RELEASED, read_calibration
from tasks.generate import OrderCost, Plan, Progress, cheapest, plan_work, variants
from tasks.intervals import Interval, wilson
from tasks.judge import Judge as JudgeName
from tasks.judge import (
    expected_doubts,
    forecast_dialogues,
    is_drawn,
    judge_settings,
    stored_verdicts,
)
from tasks.repair import next_briefs
from tasks.settings import Domain, Generate, Home
from tasks.warehouse import Connection

_JUDGE_NAMES: Final[Mapping[JudgeName, str]] = {"judge": "judge", "confirm": "judge that confirms"}
_ENOUGH: Final = 20  # verdicts from which the share that a judge rejects is taken for known


def as_row(plan: Plan) -> dict[str, object]:
    """Return a plan's figures by name; dollars are None where the model's price is unknown."""
    return {
        "model": plan.model,
        "dialogues": plan.dialogues,
        "already answered": plan.written,
        "calls": round(plan.calls.value),
        "input tokens": round(plan.input_tokens.value),
        "output tokens": round(plan.output_tokens.value),
        "output tokens 95 %": _interval(plan.output_tokens),
        "dollars": None if plan.dollars is None else plan.dollars.value,
        "dollars 95 %": _dollars_interval(plan),
        "dollars by batch": plan.batch_dollars,
        "prompt cache": plan.prompt_cache,
        "hours": plan.hours,
        "bound by": plan.bound_by,
        "output estimate from": plan.output_from,
    }


def order_rows(costs: Sequence[OrderCost]) -> list[dict[str, object]]:
    """Return what each order of models costs for an accepted dialogue, one row an order."""
    best = cheapest(costs)
    return [
        {
            "model": ", then ".join(cost.models),
            "briefs sampled": cost.briefs,
            "accepted %": round(100 * cost.accepted.value, 1),
            "accepted % 95 %": f"{100 * cost.accepted.low:.1f} to {100 * cost.accepted.high:.1f}",
            "dollars per accepted dialogue": cost.dollars and cost.dollars.value,
            "dollars 95 %": cost.dollars and f"{cost.dollars.low:.6f} to {cost.dollars.high:.6f}",
            "cheapest": "yes" if cost is best else "no",
        }
        for cost in costs
    ]


def _dollars_interval(plan: Plan) -> str:
    """Return the interval of the dollars, or why there is none."""
    if plan.dollars is None:
        return "unknown price" if plan.is_known else "unknown model"
    return f"{plan.dollars.low:.4g} to {plan.dollars.high:.4g}"


def _interval(interval: Interval) -> str:
    return f"{interval.low:,.0f} to {interval.high:,.0f}"


async def _estimates(context: Context, models: list[str] | None) -> list[dict[str, object]]:
    CURRENT.get().stage("prompts", "running")
    settings = context.domain.generate
    several = variants(settings, models or [one.model for one in settings.each_model()])
    with context.warehouse.use() as con:
        work = GENERATE.work(con, context, 1, next_briefs(con, None))
        plans = await plan_work(con, work, several, seed=context.domain.seed)
        judged = await _judge_estimates(con, context, work.ids)
    CURRENT.get().stage("prompts", "done", f"{plans[0].sampled:,} rendered and counted")
    rows = [{**as_row(one), "which dialogues": "all briefs"} for one in plans]
    return [*rows, *judged]


async def _judge_estimates(
    con: Connection, context: Context, ids: Sequence[str]
) -> list[dict[str, object]]:
    """Return what the gate's judges would take for first attempts; nothing where there is none.

    The judge that confirms is asked about what the first one rejects: as large a part of the
    dialogues as it has rejected so far, or all of them at most where too little is known.
    """
    domain = context.domain
    first, second = judge_settings(domain), judge_settings(domain, confirms=True)
    if first is None:
        return []
    drawn = [dialogue_id for dialogue_id in ids if is_drawn(domain, dialogue_id)]
    share = f"{100 * domain.quality.judge.share:g} % of the dialogues, drawn"
    rows = [await _judge_row(con, context, first, drawn, "judge", share)]
    if second is not None:
        doubts = _doubts(con, domain, first.model)
        part = 1.0 if doubts is None else doubts.value
        doubted = expected_doubts(con, first.model, drawn, part, domain.seed)
        rows.append(
            await _judge_row(con, context, second, doubted, "confirm", _doubts_text(doubts))
        )
    return rows


async def _judge_row(
    con: Connection,
    context: Context,
    settings: Generate,
    ids: Sequence[str],
    judge: JudgeName,
    which: str,
) -> dict[str, object]:
    domain, profile = context.domain, context.specifications.profile
    read = ReadAhead(con, domain).fetch
    work = replace(
        judge_work(con, context, 1, list(ids), judge),
        fetch=lambda some: forecast_dialogues(con, profile, context.goals, read(some)),
    )
    (plan,) = await plan_work(con, work, [settings], seed=domain.seed)
    return {
        **as_row(plan),
        "model": f"{plan.model} ({_JUDGE_NAMES[judge]})",
        "which dialogues": which,
    }


def _doubts(con: Connection, domain: Domain, model: str) -> Interval | None:
    """Return the share of dialogues that the first judge rejects, by its verdicts so far.

    By those of the domain's own dialogues, else by those of a calibration; None below `_ENOUGH`.
    """
    stored = list(stored_verdicts(con, model).values())
    counts = [(sum(stored), len(stored))]
    counts += [
        (one.found, one.dialogues)
        for one in read_calibration(con)
        if (one.reader, one.kind) == (model, RELEASED)
    ]
    return next((wilson(*one) for one in counts if one[1] >= _ENOUGH), None)


def _doubts_text(doubts: Interval | None) -> str:
    if doubts is None:
        return "at most all that the first judge reads; how many it rejects is not known yet"
    low, high = 100 * doubts.low, 100 * doubts.high
    return (
        f"what the first judge rejects, so far {100 * doubts.value:.1f} % [{low:.1f}, {high:.1f}]"
    )


def _show_sample(now: Progress) -> None:
    text = f"{now.in_flight} in flight, ${now.usage.cost_usd:.4f}"
    CURRENT.get().advance("sample", now.done, now.total, text)


@project_flow("plan")
async def plan(
    domain: str,
    models: list[str] | None = None,
    sample: int | None = None,
    options: BuildOptions = BuildOptions(),  # noqa: B008 - frozen
    data: str | None = None,
) -> list[dict[str, object]]:
    """Estimate a domain's dialogues, tokens, dollars and hours for several models side by side.

    Args:
        domain: name of a domain file, without .yaml.
        models: litellm model strings; the domain's own if not given.
        sample: ask for so many briefs with each order of the domain's `generate.models`, and say
            what an accepted dialogue costs by each; nothing is sent without it.
        options: choices laid over the domain file.
        data: data folder in place of the project's own.

    Returns:
        One row per model.
    """
    await name_run("plan", domain)
    job = read_job(Home.find(Path(data) if data else None), domain, options)
    run_id = str(flow_run.get_id() or "none")
    specifications = job.specifications
    if models is None:
        known = with_known_facts(job.home, specifications.domain)
        specifications = replace(specifications, domain=known)
    context = new_context(job.home, specifications, run_id, options)
    with held_job(job, check_build if sample else check_inputs), closing(context.warehouse):
        await prepare(replace(context, sources=source_hashes(context.domain)))
        if sample:
            rows = order_rows(await try_orders(context, sample, _show_sample))
        else:
            rows = await _estimates(context, models)
    await acreate_table_artifact(
        table=table_rows(rows),
        key=key(domain, "plan"),
        description=f"What building {domain} would take",
    )
    return rows
