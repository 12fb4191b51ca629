"""How well a domain's rules and judges see defects, as a Prefect flow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote

from flows.artifacts import key
from flows.asked_work import judge_rollout
from flows.evaluation.client import asking
from flows.evaluation.setup import task_run_name
from flows.figures import table_rows
from flows.options import BuildOptions
from flows.preflight import check_inputs, held_job, read_job
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_names import name_run
from flows.stages import Context, new_context
from tasks.calibration import (
    ALL_RULES,
    GRADED,
    Agreement,
    JudgedSample,
    Reading,
    agreements,
    as_judged,
    by_people,
    draw_sample,
    judge_readings,
    left_by_judges,
    left_text,
    not_calibrated,
    rejected_by_rules,
    rule_readings,
    settled,
    store_calibration,
)
from tasks.errors import UserError
from tasks.evaluation.annotate import Study
from tasks.evaluation.quality import NO_DEFECT
from tasks.judge import Fault, JudgeRollout, each_judge, from_json, judge_settings
from tasks.llm import Ask, CallFailed
from tasks.quality import Rules, rule_sentences
from tasks.repair import accepted_of
from tasks.settings import Domain, Generate, Home, Judge
from tasks.warehouse import transaction

SPOILT_FOR_RULES = 500  # dialogues of each kind; rules cost nothing


@dataclass(frozen=True)
class Calibration:
    """What a calibration came to.

    Attributes:
        rows: one row a reader, source and kind.
        left: what is estimated to be left in the accepted dialogues, by each judge, in words.
        not_calibrated: the rules that nothing is known about.
        agreement: one row for each two judges.
    """

    rows: list[dict[str, Any]]
    left: list[str] = field(default_factory=list)
    not_calibrated: list[str] = field(default_factory=list)
    agreement: list[dict[str, Any]] = field(default_factory=list)


@project_flow("calibrate")
async def calibrate(
    domain: str,
    judges: list[str] | None = None,
    dialogues: int = 60,
    of_kind: int = 10,
    study: str | None = None,
    budget_usd: float | None = None,
    data: str | None = None,
) -> Calibration:
    """Measure how well a domain's rules and judges see defects, and keep it in its warehouse.

    Args:
        domain: name of a domain file, without .yaml; it was built before.
        judges: litellm model strings; the domain's own judges if not given.
        dialogues: accepted dialogues that each judge reads as they are.
        of_kind: accepted dialogues with a planted defect that it reads, of each kind.
        study: file of a study in which people have looked for defects in this domain's dialogues.
        budget_usd: what all judges together may cost.
        data: data folder in place of the project's own.
    """
    await name_run("calibrate", domain)
    job = read_job(Home.find(Path(data) if data else None), domain, BuildOptions())
    run_id = str(flow_run.get_id() or "none")
    context = new_context(job.home, job.specifications, run_id)
    names = judges or [settings.model for settings in each_judge(context.domain)]
    graded = _graded(Study(Path(study))) if study else {}
    with held_job(job, check_inputs), closing(context.warehouse):
        readings = _by_rules(context, graded)
        agreed: list[Agreement] = []
        if names:
            sample = _sample(context, dialogues, of_kind, graded)
            found = await _ask_judges(context, names, sample, budget_usd)
            readings += _by_judges(sample, found, graded)
            agreed = agreements(found)
        result = _kept(context, readings, agreed)
    await acreate_table_artifact(
        table=table_rows(result.rows),
        key=key(domain, "calibration"),
        description=f"How well rules and judges see defects in {domain}",
    )
    return result


def _graded(study: Study) -> dict[str, str]:
    """Return what people say of each dialogue of a study. Raises UserError if they say nothing."""
    said = [(one.dialogue_id, one.kind) for one in study.defects()]
    if not said:
        raise UserError(
            f"nobody has looked for a defect in {study.path}: `redial annotate new --defects N` "
            "makes such a study"
        )
    return settled(said, NO_DEFECT)


def _by_rules(context: Context, graded: Mapping[str, str]) -> list[Reading]:
    CURRENT.get().stage("rules", "running")
    specifications, domain = context.specifications, context.domain
    rules = Rules(specifications.suites, specifications.lexicon)
    with context.warehouse.use() as con:
        if not accepted_of(con):
            raise UserError(f"{domain.name} has no accepted dialogue: build it first")
        found = rule_readings(con, rules, domain, most=SPOILT_FOR_RULES, seed=domain.seed)
        found += by_people(ALL_RULES, graded, rejected_by_rules(con))
    CURRENT.get().stage("rules", "done", f"{len(found)} readings")
    return found


def _sample(
    context: Context, dialogues: int, of_kind: int, graded: Mapping[str, str]
) -> list[JudgedSample]:
    domain = context.domain
    with context.warehouse.use() as con:
        drawn = draw_sample(con, domain, released=dialogues, of_kind=of_kind, seed=domain.seed)
        known = as_judged(con, domain, list(graded))
    return [*drawn, *(JudgedSample(GRADED, dialogue) for dialogue in known.values())]


async def _ask_judges(
    context: Context, judges: Sequence[str], sample: Sequence[JudgedSample], budget: float | None
) -> dict[str, list[list[Fault] | None]]:
    """Show the sample to each judge. Raises UserError when one answers nothing."""
    rollout = judge_rollout(context, 1)
    found: dict[str, list[list[Fault] | None]] = {}
    async with asking(context.home, context.run_id, budget) as models:
        for judge in dict.fromkeys(judges):
            ask_for = models.of(_settings(context.domain, judge))
            named = _read_all.with_options(task_run_name=task_run_name("judge", judge))
            found[judge] = await named(quote((ask_for, rollout, sample)), judge)
            models.check_answered()
    return found


def _by_judges(
    sample: Sequence[JudgedSample],
    found: Mapping[str, Sequence[Sequence[Fault] | None]],
    graded: Mapping[str, str],
) -> list[Reading]:
    readings: list[Reading] = []
    for judge, faults in found.items():
        readings += judge_readings(judge, sample, faults)
        readings += _against_people(judge, sample, faults, graded)
    return readings


def _against_people(
    judge: str,
    sample: Sequence[JudgedSample],
    found: Sequence[Sequence[Fault] | None],
    graded: Mapping[str, str],
) -> list[Reading]:
    """Return what a judge says of the dialogues that people have graded, where it says anything."""
    said = {
        one.dialogue.dialogue_id: faults
        for one, faults in zip(sample, found, strict=True)
        if one.kind == GRADED and faults is not None
    }
    known = {dialogue_id: graded[dialogue_id] for dialogue_id in said}
    return by_people(judge, known, [dialogue_id for dialogue_id in said if said[dialogue_id]])


def _settings(domain: Domain, judge: str) -> Generate:
    """Return how a judge is asked; the domain's own ones as in its gate."""
    for own in each_judge(domain):
        if own.model == judge:
            return own
    quality = domain.quality.model_copy(update={"judge": Judge(model=judge)})
    settings = judge_settings(domain.model_copy(update={"quality": quality}))
    assert settings is not None
    return settings


@task(name="judge", cache_policy=NO_CACHE, persist_result=False)
async def _read_all(held: Any, judge: str) -> list[list[Fault] | None]:
    """Ask one judge about every dialogue; None where there is no verdict."""
    ask_for, rollout, sample = held
    CURRENT.get().stage(judge, "running")
    found = await asyncio.gather(
        *(_read(rollout, one, ask_for(f"{one.kind} {one.dialogue.dialogue_id}")) for one in sample)
    )
    read = sum(faults is not None for faults in found)
    CURRENT.get().stage(judge, "done", f"{read:,} of {len(sample):,} dialogues read")
    return list(found)


async def _read(rollout: JudgeRollout, one: JudgedSample, ask: Ask) -> list[Fault] | None:
    try:
        made = await rollout(one.dialogue, ask)
    except CallFailed:
        return None
    return from_json(made.text) if made.status == "answered" else None


def _kept(
    context: Context, readings: Sequence[Reading], agreed: Sequence[Agreement]
) -> Calibration:
    """Store what was measured and return it with what it says."""
    rules = list(rule_sentences(context.specifications.suites))
    with context.warehouse.use() as con:
        with transaction(con):
            store_calibration(con, readings, context.run_id, agreed)
        accepted = accepted_of(con)
    return Calibration(
        [as_row(reading) for reading in readings],
        [left_text(one, accepted) for one in left_by_judges(readings)],
        not_calibrated(readings, rules),
        [agreement_row(one) for one in agreed],
    )


def agreement_row(one: Agreement) -> dict[str, Any]:
    """Return what two judges say of the same dialogues by name, kappa with its 95 % interval."""
    kappa = one.kappa
    return {
        "judge": one.first,
        "other judge": one.second,
        "dialogues": one.counts.pairs,
        "both reject": one.counts.both,
        "only the first": one.counts.first,
        "only the second": one.counts.second,
        "neither": one.counts.neither,
        "same %": round(100 * one.share.value, 1),
        "kappa": None if kappa is None else round(kappa.value, 2),
        "95 %": "" if kappa is None else f"{kappa.low:.2f} to {kappa.high:.2f}",
    }


def as_row(reading: Reading) -> dict[str, Any]:
    """Return a reading by name, its share in percent with the interval."""
    share = reading.share
    shown = (
        {}
        if share is None
        else {
            "%": round(100 * share.value, 1),
            "95 %": f"{100 * share.low:.1f} to {100 * share.high:.1f}",
        }
    )
    return {
        "reader": reading.reader,
        "known by": reading.source,
        "kind": reading.kind,
        "dialogues": reading.dialogues,
        "rejected": reading.found,
        **shown,
    }
