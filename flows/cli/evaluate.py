"""`redial evaluate`: the paper's section 4 on any corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.app import JsonOption, app, comma_list
from flows.cli.console import OUT, Bars, print_json
from flows.cli.parameters import options_of
from flows.options import EvaluationOptions, SampleOptions
from flows.parameters import fields_of
from tasks.errors import UserError
from tasks.settings import MOCK_MODEL, Home

evaluate = typer.Typer(
    help="Evaluate a corpus: recommendation, dialogue quality, responses.", no_args_is_help=True
)
app.add_typer(evaluate, name="evaluate")

CorpusArgument = Annotated[
    str,
    typer.Argument(help="A domain's name (its latest release), a release, or the path of a corpus"),
]
OPTIONS = fields_of(EvaluationOptions, without=["data"])
NO_FINDING = 3  # exit code of an evaluation of which too little could be read
ALIASES = {"offline": MOCK_MODEL}


def names(text: str) -> list[str]:
    """Split a comma-separated list of models; `offline` stands for the mock model."""
    return [ALIASES.get(name, name) for name in comma_list(text)]


def given(options: EvaluationOptions, home: Home) -> dict[str, Any]:
    """Return options as a flow takes them, with the data folder this command works on."""
    return {**options.model_dump(), "data": str(home.data)}


@evaluate.command(
    epilog="Example: redial evaluate recommend demo --model popularity,itemknn,bm25,offline"
)
@options_of(parted=fields_of(SampleOptions), options=OPTIONS)
def recommend(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    model: Annotated[
        str, typer.Option(help="Recommenders, separated by commas")
    ] = "random,popularity,itemknn,bm25,offline",
    setting: Annotated[
        str, typer.Option(help="How models are asked, with commas: zero-shot, few-shot, fine-tuned")
    ] = "zero-shot",
    questions: Annotated[int | None, typer.Option(help="Most test questions", min=1)] = None,
    he2023: Annotated[
        bool,
        typer.Option(
            "--he2023", help="Score models by the protocol of He et al. (2023) too, into he2023.csv"
        ),
    ] = False,
    rank: Annotated[
        str,
        typer.Option(
            help="generate (models write a list), constrained (a local model writes a list that "
            "only titles of the catalogue can be in) or likelihood (its probability of each title; "
            "of openai/NAME where the server returns log-probabilities)"
        ),
    ] = "generate",
    candidates: Annotated[
        int | None,
        typer.Option(
            help="With constrained and likelihood, only the best of a reference recommender", min=1
        ),
    ] = None,
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
    as_json: JsonOption = False,
) -> None:
    """Compare recommenders on a corpus and print Table 5.

    Recall, NDCG and MRR at 5, 10 and 50, with 95 % intervals in the files.
    """
    home: Home = ctx.obj
    from flows.server.ephemeral import run_flow

    choices: dict[str, Any] = {
        "models": names(model),
        "settings": names(setting),
        "questions": questions,
        "he2023": he2023,
        "rank": rank,
        "candidates": candidates,
        **parted.model_dump(),
        **given(options, home),
    }

    async def start() -> Any:
        from flows.evaluation.recommend import evaluate_recommend

        return await evaluate_recommend(corpus, **choices, return_state=True)

    with Bars() as bars:
        made = run_flow(home, "evaluation", bars, start, warm=("flows.evaluation.recommend",))
    from tasks.evaluation import popularity_text, seeds_text, table5, table5_text

    if as_json:
        print_json(table5(made.rows).to_dicts())
    else:
        OUT.print(table5_text(made.rows), markup=False)
        OUT.print(f"\n{popularity_text(made.spread)}", markup=False)
        if seeds := seeds_text(made.seeds):
            OUT.print(f"\n{seeds}", markup=False)
        from flows.evaluation.setup import name_of

        tables = options.out or home.data / "reports" / "evaluation" / name_of(home, corpus)
        OUT.print(f"\nwith intervals: {tables}", markup=False)


@evaluate.command(
    epilog="Example: redial evaluate quality demo ../redial/test_data.jsonl --judge "
    "openai/gpt-4o-mini"
)
@options_of(options=OPTIONS)
def quality(
    ctx: typer.Context,
    corpora: Annotated[
        list[str],
        typer.Argument(
            help="Domains or paths; the first is compared with each other one", show_default=False
        ),
    ],
    judge: Annotated[str, typer.Option(help="Judges: litellm models, separated by commas")],
    seeds: Annotated[
        int,
        typer.Option(
            help="How often each judge judges, each time with another sampling seed", min=1
        ),
    ] = 1,
    dialogues: Annotated[
        int, typer.Option(help="Dialogues of each corpus whose utterances are graded", min=1)
    ] = 10,
    pairs: Annotated[
        int, typer.Option(help="Pairs of conversations in each comparison", min=1)
    ] = 50,
    study: Annotated[
        Path | None, typer.Option(help="A study answered by people, to hold the judges against")
    ] = None,
    least_read: Annotated[
        float,
        typer.Option(
            help="Share of each judge's questions about a corpus that needs a readable answer; "
            "with fewer the table is no finding, and the exit code 3",
            min=0,
            max=1,
        ),
    ] = 0.8,
    *,
    options: EvaluationOptions,
) -> None:
    """Let models judge dialogues as people did in the paper.

    Prints Table 4, Figure 4, agreement and position bias.
    """
    home: Home = ctx.obj
    from flows.server.ephemeral import run_flow

    async def start() -> Any:
        from flows.evaluation.quality import evaluate_quality

        return await evaluate_quality(
            corpora,
            names(judge),
            seeds=seeds,
            dialogues=dialogues,
            pairs=pairs,
            study=str(study) if study else None,
            least_read=least_read,
            **given(options, home),
            return_state=True,
        )

    with Bars() as bars:
        page = run_flow(home, "evaluation", bars, start, warm=("flows.evaluation.quality",))
    OUT.print(page.text, markup=False)
    if page.shortfalls:
        raise typer.Exit(NO_FINDING)


@evaluate.command(
    epilog="Example: redial evaluate respond demo --model openai/gpt-4o-mini --cases 3"
)
@options_of(parted=fields_of(SampleOptions, "split", "test_share", "noun"), options=OPTIONS)
def respond(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    model: Annotated[str, typer.Option(help="A litellm model")] = "offline",
    setting: Annotated[
        str, typer.Option(help="zero-shot, few-shot, or both with a comma")
    ] = "zero-shot,few-shot",
    fine_tuned: Annotated[
        str | None, typer.Option(help="A fine-tuned model to stand beside it")
    ] = None,
    cases: Annotated[int, typer.Option(help="How many samples", min=1)] = 3,
    history: Annotated[bool, typer.Option(help="Show the user's history")] = True,
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> None:
    """Let a model say the agent's next utterance for some samples.

    Shown beside the ground truth, as in the paper's Figure 6.
    """
    home: Home = ctx.obj
    asked = names(model)
    if len(asked) != 1:
        raise UserError(
            f"--model {model[:80]!r} must name one model, such as openai/gpt-4o-mini; "
            "--fine-tuned sets another beside it"
        )
    from flows.server.ephemeral import run_flow

    async def start() -> Any:
        from flows.evaluation.respond import evaluate_respond

        return await evaluate_respond(
            corpus,
            asked[0],
            names(setting),
            fine_tuned=fine_tuned,
            cases=cases,
            history=history,
            split=parted.split,
            test_share=parted.test_share,
            noun=parted.noun,
            **given(options, home),
            return_state=True,
        )

    with Bars() as bars:
        OUT.print(
            run_flow(home, "evaluation", bars, start, warm=("flows.evaluation.respond",)),
            markup=False,
        )


@evaluate.command(
    epilog="Example: redial evaluate he2023 test.jsonl answers.jsonl.gz entity2id.json"
)
def he2023(
    test: Annotated[Path, typer.Argument(help="Their test set, JSON lines", show_default=False)],
    answers: Annotated[
        Path, typer.Argument(help="Stored answers, JSON lines, .gz or plain", show_default=False)
    ],
    entities: Annotated[Path, typer.Argument(help="Entity names to ids, JSON", show_default=False)],
    rematch: Annotated[
        bool,
        typer.Option(
            "--rematch", help="Find the nearest names again and bound what ties could change"
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored answers by the protocol of He et al. (2023), in its four variants."""
    from flows.cli.views import show_rows
    from tasks.evaluation.he2023 import he2023_summaries, summary_rows

    summaries = he2023_summaries(test, answers, entities, rematch=rematch)
    if as_json:
        print_json(summaries)
        return
    for name, rows in summaries.items():
        show_rows(OUT, summary_rows(rows), name)
