"""The recommendation benchmark of section 4.2 (Table 5) as a Prefect flow."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.evaluation.client import asking
from flows.evaluation.models import inputs_of, local_name, way_to
from flows.evaluation.setup import prepare, save_table5, task_run_name
from flows.options import Count, EvaluationOptions, SampleOptions
from flows.parameters import as_parameter, fields_of, spread
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_names import listed, name_run, short
from tasks.errors import UserError
from tasks.evaluation import (
    Result,
    answer_rankings,
    likelihood_rankings,
    margin_over_chance,
    model_answers,
    protocol_rows,
    reference_rankings,
    reference_results,
    results,
    table5_markdown,
)
from tasks.evaluation.references import REFERENCES, Knowledge, check_reference
from tasks.settings import MOCK_MODEL, Home

Settings = Literal["zero-shot", "few-shot", "fine-tuned"]


@project_flow("evaluate")
@spread(as_parameter, parted=fields_of(SampleOptions), options=fields_of(EvaluationOptions))
async def evaluate_recommend(
    corpus: str = "demo",
    models: Annotated[list[str], Field(min_length=1)] = [
        "popularity",
        "itemknn",
        "bm25",
        MOCK_MODEL,
    ],
    settings: Annotated[list[Settings], Field(min_length=1)] = ["zero-shot"],
    questions: Count | None = None,
    he2023: bool = False,
    rank: Literal["generate", "likelihood"] = "generate",
    candidates: Count | None = None,
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> list[Result]:
    """Compare recommenders on a corpus (4.2, Table 5).

    Args:
        corpus: a domain's name, whose latest release is taken, or a path to a corpus.
        models: reference recommenders (random, popularity, itemknn, bm25, markov), litellm model
            strings, and local models as
            local/SETTINGS or local/SETTINGS+ADAPTER.
        settings: how language models are asked; one that was fine-tuned here is asked as it was
            taught.
        questions: most test questions, drawn by seed; all if not given.
        he2023: score language models by the protocol of He et al. (2023) as well, into
            he2023.parquet and he2023.csv.
        rank: how a model's ranking comes about: generate (it writes a list) or likelihood (a local
            model's probability of each title).
        candidates: with likelihood, rank the best of a reference recommender alone, so many.
        parted: how samples are parted and worded.
        options: how models are asked, and where tables go.

    Returns:
        The rows of Table 5.
    """
    await name_run("evaluate recommend", short(corpus), listed(models))
    home = options.home()
    sink = CURRENT.get()
    sink.stage("samples", "running")
    ready = prepare(home, corpus, parted, questions, options.seed)
    sink.stage(
        "samples",
        "done",
        f"{len(ready.benchmark.questions):,} test questions, "
        f"{len(ready.benchmark.split.train):,} to learn from",
    )
    for model in models:
        _check_model(home, model, ready.benchmark.known, rank)
    found: list[Result] = []
    protocol: list[dict[str, object]] = []
    limits = options.limits()
    async with asking(home, str(flow_run.get_id() or "none"), options.budget_usd) as asked_models:
        for model in models:
            ask_for = (
                None
                if model in REFERENCES
                else way_to(
                    asked_models, home, model, options.api_base, limits, ready.profile.temperature
                )
            )
            inputs = inputs_of(home, ready, model, list(settings)) if ask_for else []
            rows, by_protocol = await _one.with_options(
                task_run_name=task_run_name("recommend", model)
            )(quote((ready, ask_for, inputs)), model, he2023, rank, candidates)
            asked_models.check_answered()
            found, protocol = found + rows, protocol + by_protocol
        usage = asked_models.usage
    sink.stage(
        "asked",
        "done",
        f"{usage.answered:,} calls, {usage.stored:,} answers from the store, ${usage.cost_usd:.4f}",
    )
    save_table5(options.folder(ready.name), found, protocol)
    await acreate_markdown_artifact(
        table5_markdown(found), key="table-5", description=f"Table 5 on {ready.name}"
    )
    return found


def _check_model(home: Home, model: str, known: Knowledge, rank: str) -> None:
    """Raise UserError before anything is asked, for a recommender that cannot be.

    There is no such recommender, or a reference lacks what it ranks by.
    """
    if model in REFERENCES:
        check_reference(model, known)
        return
    local = local_name(home, model)
    if rank == "likelihood" and local is None:
        raise UserError(
            f"--rank likelihood needs a model on this machine, such as local/smollm2, not {model}"
        )
    if local is None and "/" not in model:
        raise UserError(
            f"unknown recommender {model!r}: known are {', '.join(REFERENCES)}, or a litellm "
            "model, provider/model"
        )


@task(name="recommend", cache_policy=NO_CACHE, persist_result=False)
async def _one(
    held: Any, model: str, he2023: bool, rank: str, candidates: int | None
) -> tuple[list[Result], list[dict[str, object]]]:
    """Ask one recommender every question: a reference once, a language model with every input."""
    ready, ask_for, inputs = held
    asked, sink = ready.benchmark, CURRENT.get()
    sink.stage(model, "running")
    rows: list[Result] = []
    protocol: list[dict[str, object]] = []
    if ask_for is None:
        rows = reference_results(asked, model)
        above = margin_over_chance(asked, reference_rankings(asked, model))
        sink.stage(
            model,
            "done",
            f"NDCG@10 above chance by {above.value:.4f} [{above.low:.4f}, {above.high:.4f}]",
        )
        return rows, protocol
    for asked_with in inputs:
        setting, history = asked_with.setting, asked_with.history
        if rank == "likelihood":
            ranked = await likelihood_rankings(
                asked,
                lambda question: ask_for(question).rank,
                asked_with.profile,
                setting,
                history=history,
                candidates=candidates,
                watch=lambda done, total: sink.advance(model, done, total),
            )
            named = f"{setting}, likelihood"
            rows += results(model, named, history, asked.questions, ranked, seed=asked.seed)
            continue
        texts = await model_answers(asked, ask_for, asked_with.profile, setting, history=history)
        rankings = answer_rankings(asked, texts, asked_with.profile, setting, history=history)
        rows += results(model, setting, history, asked.questions, rankings, seed=asked.seed)
        if he2023:
            protocol += protocol_rows(
                asked,
                texts,
                model=model,
                setting=setting,
                input="dialogue + history" if history else "dialogue",
            )
    sink.stage(model, "done")
    return rows, protocol
