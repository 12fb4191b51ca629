"""The recommendation benchmark of section 4.2 (Table 5) as a Prefect flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.evaluation.client import Local, Watched, asking, watching
from flows.evaluation.models import Input, checked_training, inputs_of, local_name, way_to
from flows.evaluation.setup import prepare, save, save_table5, task_run_name
from flows.options import Count, EvaluationOptions, SampleOptions
from flows.parameters import as_parameter, fields_of, spread
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_names import listed, name_run, short
from tasks.errors import UserError
from tasks.evaluation import (
    LOG,
    AnswerRead,
    Benchmark,
    Ranking,
    Recommended,
    Result,
    SeedScores,
    answer_log,
    answer_rankings,
    constrained_answers,
    likelihood_rankings,
    log_lines,
    margin_over_chance,
    model_answers,
    popularity_text,
    protocol_rows,
    question_messages,
    rank_rows,
    recommended,
    reference_rankings,
    reference_results,
    results,
    seed_scores,
    seeds_text,
    table5_markdown,
)
from tasks.evaluation.references import REFERENCES, Knowledge, check_reference
from tasks.llm import LIKELIHOOD_PROVIDER
from tasks.settings import MOCK_MODEL, Home

Rank = Literal["generate", "constrained", "likelihood"]
Settings = Literal["zero-shot", "few-shot", "fine-tuned"]


@dataclass(frozen=True)
class Evaluated:
    """The rows of Table 5, what each recommender recommends, and fine-tuned ones over seeds."""

    rows: list[Result]
    spread: list[Recommended]
    seeds: list[SeedScores]


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
    rank: Rank = "generate",
    candidates: Count | None = None,
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> Evaluated:
    """Compare recommenders on a corpus (4.2, Table 5).

    Args:
        corpus: a domain's name, whose latest release is taken, or a path to a corpus.
        models: reference recommenders (random, popularity, itemknn, bm25, markov, dense), litellm
            model strings, and local models as local/SETTINGS or local/SETTINGS+ADAPTER.
        settings: how language models are asked; one that was fine-tuned here is asked as it was
            taught.
        questions: most test questions, drawn by seed; all if not given.
        he2023: score language models by the protocol of He et al. (2023) as well, into
            he2023.parquet and he2023.csv.
        rank: how a model's ranking comes about: generate (it writes a list), constrained (a local
            model writes a list in which only titles of the catalogue can stand) or likelihood (its
            probability of each title: of a local model, or of one behind a server that returns
            log-probabilities).
        candidates: with constrained and likelihood, only the best of a reference recommender, so
            many.
        parted: how samples are parted and worded.
        options: how models are asked, and where tables go.

    Returns:
        The rows of Table 5, what each recommender recommends, and means over seeds.
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
    made, learnt = Outcome(), dict[str, int]()
    async with asking(home, str(flow_run.get_id() or "none"), options.budget_usd) as asked_models:
        for model in models:
            ask_for = None
            if model not in REFERENCES:
                ask_for = way_to(asked_models, home, model, options, ready.profile.temperature)
                training = checked_training(home, ready, model, "recommend")
                if training is not None and "+" in model:
                    learnt[model] = training.examples
            inputs = inputs_of(home, ready, model, list(settings)) if ask_for else []
            one = _one.with_options(task_run_name=task_run_name("recommend", model))
            held = quote((ready, ask_for, inputs))
            made.add(await one(held, model, he2023, rank, candidates))
            asked_models.check_answered()
        usage = asked_models.usage
    sink.stage(
        "asked",
        "done",
        f"{usage.answered:,} calls, {usage.stored:,} answers from the store, ${usage.cost_usd:.4f}",
    )
    folder = options.folder(ready.name)
    save_table5(folder, made.rows, made.ranks, made.protocol)
    seeds = seed_scores(made.rows, learnt)
    spread = "\n\n".join(filter(None, (popularity_text(made.spread), seeds_text(seeds))))
    save(folder, {"popularity.txt": f"{spread}\n", LOG: log_lines(made.answers)})
    page = f"{table5_markdown(made.rows)}\n```\n{spread}\n```\n"
    await acreate_markdown_artifact(page, key="table-5", description=f"Table 5 on {ready.name}")
    return Evaluated(made.rows, made.spread, seeds)


def _check_model(home: Home, model: str, known: Knowledge, rank: Rank) -> None:
    """Raise UserError before anything is asked, for a recommender that cannot be.

    There is no such recommender, or a reference lacks what it ranks by.
    """
    if model in REFERENCES:
        check_reference(model, known)
        return
    local = local_name(home, model)
    if rank == "likelihood" and model.startswith(LIKELIHOOD_PROVIDER):
        return
    if rank != "generate" and local is None:
        or_server = f", or {LIKELIHOOD_PROVIDER}NAME" if rank == "likelihood" else ""
        raise UserError(
            f"--rank {rank} needs a model on this machine, such as local/smollm2{or_server}, not "
            f"{model}"
        )
    if local is None and "/" not in model:
        raise UserError(
            f"unknown recommender {model!r}: known are {', '.join(REFERENCES)}, or a litellm "
            "model, provider/model"
        )


@dataclass
class Outcome:
    """What one recommender's answers give.

    Attributes:
        rows: of Table 5.
        protocol: scores by the protocol of He et al. (2023).
        spread: what is recommended, for each way of asking.
        answers: what a model was asked and answered.
        ranks: the place of the right item, for every question.
    """

    rows: list[Result] = field(default_factory=list)
    protocol: list[dict[str, object]] = field(default_factory=list)
    spread: list[Recommended] = field(default_factory=list)
    answers: list[AnswerRead] = field(default_factory=list)
    ranks: list[dict[str, object]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in another recommender's."""
        self.rows += other.rows
        self.protocol += other.protocol
        self.spread += other.spread
        self.answers += other.answers
        self.ranks += other.ranks


@task(name="recommend", cache_policy=NO_CACHE, persist_result=False)
async def _one(held: Any, model: str, he2023: bool, rank: Rank, candidates: int | None) -> Outcome:
    """Ask one recommender every question: a reference once, a language model with every input."""
    ready, ask_for, inputs = held
    asked, sink = ready.benchmark, CURRENT.get()
    sink.stage(model, "running")
    if ask_for is None:
        ranked = reference_rankings(asked, model)
        above = margin_over_chance(asked, ranked)
        sink.stage(
            model,
            "done",
            f"NDCG@10 above chance by {above.value:.4f} [{above.low:.4f}, {above.high:.4f}]",
        )
        rows = reference_results(asked, model)
        return Outcome(
            rows,
            spread=[_spread(asked, model, ranked)],
            ranks=rank_rows(model, "reference", rows[0].history, asked.questions, ranked),
        )
    made = Outcome()
    for asked_with in inputs:
        if rank == "likelihood":
            made.add(await _by_likelihood(asked, ask_for, model, asked_with, candidates))
        else:
            made.add(await _by_answers(asked, ask_for, model, asked_with, rank, candidates, he2023))
    sink.stage(model, "done")
    return made


async def _by_likelihood(
    asked: Benchmark,
    ask_for: Callable[[str], Local | Watched],
    model: str,
    asked_with: Input,
    candidates: int | None,
) -> Outcome:
    """Rank the catalogue by a model's likelihood of each title."""
    setting, history = asked_with.setting, asked_with.history
    sink = CURRENT.get()
    ranked = await likelihood_rankings(
        asked,
        lambda question: ask_for(question).rank,
        asked_with.profile,
        setting,
        history=history,
        candidates=candidates,
        watch=lambda done, total: sink.advance(model, done, total),
    )
    named = f"{setting}, likelihood" + (f" of {candidates}" if candidates else "")
    rows = results(model, named, history, asked.questions, ranked, seed=asked.seed)
    return Outcome(
        rows,
        spread=[_spread(asked, f"{model}, {named}", ranked)],
        ranks=rank_rows(model, named, history, asked.questions, ranked),
    )


async def _by_answers(
    asked: Benchmark,
    ask_for: Callable[[str], Any],
    model: str,
    asked_with: Input,
    rank: Rank,
    candidates: int | None,
    he2023: bool,
) -> Outcome:
    """Let a model write its recommendations, and read them."""
    profile, setting, history = asked_with.profile, asked_with.setting, asked_with.history
    source = "dialogue + history" if history else "dialogue"
    named: str = setting
    if rank == "constrained":
        sink, named = CURRENT.get(), f"{setting}, constrained"
        texts = await constrained_answers(
            asked,
            lambda question: ask_for(question).write_list,
            profile,
            setting,
            history=history,
            candidates=candidates,
            watch=lambda done, total: sink.advance(model, done, total),
        )
    else:
        texts = await model_answers(
            asked, ask_for, profile, setting, history=history, watch=watching(model)
        )
    ranked = answer_rankings(asked, texts, profile, setting, history=history)
    messages = question_messages(asked, profile, setting, history=history)
    made = Outcome(
        results(model, named, history, asked.questions, ranked, seed=asked.seed),
        spread=[_spread(asked, f"{model}, {named}, {source}", ranked)],
        ranks=rank_rows(model, named, history, asked.questions, ranked),
        answers=list(answer_log((model, named, source), asked.questions, messages, texts, ranked)),
    )
    if he2023:
        made.protocol = protocol_rows(asked, texts, model=model, setting=named, input=source)
    return made


def _spread(asked: Benchmark, name: str, ranked: Sequence[Ranking | None]) -> Recommended:
    return recommended(name, ranked, asked.known.items, asked.known.popularity())
