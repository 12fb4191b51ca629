"""Dialogue quality as a Prefect flow (4.1): judged by models, compared with people's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.evaluation.client import asking, watching
from flows.evaluation.models import check_judge, model_settings
from flows.evaluation.setup import find_corpora, save, task_run_name
from flows.options import Count, EvaluationOptions
from flows.parameters import as_parameter, fields_of, spread
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_names import listed, name_run
from flows.run_states import ALERT
from tasks.evaluation.annotate import Study
from tasks.evaluation.quality import (
    LEAST_READ,
    Judged,
    PairTask,
    QualityPage,
    UtteranceTask,
    judge_pairs,
    judge_utterances,
    load_judge_profile,
    pair_tasks,
    quality_page,
    utterance_tasks,
)
from tasks.settings import MOCK_MODEL

Share = Annotated[float, Field(ge=0, le=1)]


@project_flow("evaluate-quality")
@spread(as_parameter, options=fields_of(EvaluationOptions))
async def evaluate_quality(
    corpora: Annotated[list[str], Field(min_length=1)] = ["demo"],
    judges: Annotated[list[str], Field(min_length=1)] = [MOCK_MODEL],
    seeds: Count = 1,
    dialogues: Count = 10,
    pairs: Count = 50,
    study: str | None = None,
    least_read: Share = LEAST_READ,
    *,
    options: EvaluationOptions,
) -> QualityPage | State[QualityPage]:
    """Judge the dialogues of corpora (4.1).

    Returns Table 4, Figure 4, agreement and position bias as Markdown; as the state Alert if they
    are no finding, because too few answers could be read.

    Args:
        corpora: domains or paths; the first is compared with each of the others.
        judges: litellm model strings.
        seeds: how often each judge judges, with a sampling seed of its own each time; each is a
            rater.
        dialogues: dialogues of each corpus whose utterances are graded.
        pairs: pairs of conversations in each comparison.
        study: file of a study people answered: judges are shown what people were shown, in place of
            a draw, and held against them.
        least_read: share of each judge's questions about a corpus that needs a readable answer.
        options: how models are asked, and where tables go.
    """
    await name_run("evaluate quality", listed(corpora), listed(judges))
    home = options.home()
    for judge in judges:
        check_judge(home, judge)
    read = find_corpora(home, corpora)
    people = Study(Path(study)) if study else None
    if people:
        utterances, compared = people.utterance_tasks, people.pair_tasks
    else:
        utterances = utterance_tasks(read, dialogues=dialogues, seed=options.seed)
        compared = (
            pair_tasks(read[0], read[1:], pairs=pairs, seed=options.seed) if len(read) > 1 else []
        )
    profile = load_judge_profile(home)
    by_judge: dict[str, Judged] = {}
    limits = options.limits()
    async with asking(home, str(flow_run.get_id() or "none"), options.budget_usd) as asked_models:
        for judge in judges:
            for number in range(1, seeds + 1):
                name, sampled = (judge, None) if seeds == 1 else (f"{judge} seed {number}", number)
                asked = model_settings(
                    judge, options.api_base, limits, profile.temperature, options.max_tokens
                ).model_copy(update={"seed": sampled})
                named = _judge.with_options(task_run_name=task_run_name("judge", name))
                by_judge[name] = await named(
                    quote((asked_models.of(asked), profile, utterances, compared)), name
                )
                asked_models.check_answered()
    tasks: list[UtteranceTask | PairTask] = [*utterances, *compared]
    page = quality_page(read[0].name, tasks, by_judge, people, least=least_read)
    save(options.folder("quality"), {"quality.md": page.text})
    await acreate_markdown_artifact(
        page.text, key="dialogue-quality", description="Dialogue quality, Table 4 and Figure 4"
    )
    if page.shortfalls:
        return Completed(name=ALERT, data=page, message="; ".join(page.shortfalls))
    return page


@task(name="judge", cache_policy=NO_CACHE, persist_result=False)
async def _judge(held: Any, judge: str) -> Judged:
    """Ask one judge for all grades and comparisons."""
    ask_for, profile, utterances, compared = held
    CURRENT.get().stage(judge, "running")
    watch = watching(judge)
    graded = await judge_utterances(ask_for, profile, judge, utterances, watch)
    chosen = await judge_pairs(ask_for, profile, judge, compared, watch)
    unread = graded.unreadable + chosen.unreadable
    CURRENT.get().stage(
        judge,
        "done",
        f"{len(graded.ratings):,} grades, {len(chosen.preferences):,} choices, {unread:,} "
        "answers unreadable",
    )
    return Judged(graded.ratings, chosen.preferences, (*graded.unread, *chosen.unread))
