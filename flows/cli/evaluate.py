"""`redial evaluate`: the paper's section 4 on any corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.app import JsonOption, app
from flows.cli.console import OUT, Bars, print_json
from tasks.settings import Home

evaluate = typer.Typer(help="Evaluate a corpus: recommendation, dialogue quality, responses.", no_args_is_help=True)
app.add_typer(evaluate, name="evaluate")

CorpusArgument = Annotated[str, typer.Argument(help="A domain's name (its latest release), a release, or the path of a corpus")]
NounOption = Annotated[str | None, typer.Option(help="What one item is called in the questions")]
ConcurrencyOption = Annotated[int | None, typer.Option(help="Most calls in flight", min=1, max=4096)]
RpmOption = Annotated[int | None, typer.Option(help="Requests a minute the provider allows", min=1)]
TpmOption = Annotated[int | None, typer.Option(help="Tokens a minute the provider allows", min=1)]
ALIASES = {"offline": "offline/writer"}


def names(text: str) -> list[str]:
    """Split a comma-separated list of models; `offline` stands for the embedded writer."""
    return [ALIASES.get(name.strip(), name.strip()) for name in text.split(",") if name.strip()]


@evaluate.command(epilog="Example: redial evaluate recommend demo --model popularity,itemknn,bm25,offline")
def recommend(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    model: Annotated[str, typer.Option(help="Recommenders, separated by commas")] = "random,popularity,itemknn,bm25,offline",
    setting: Annotated[str, typer.Option(help="How models are asked, with commas: zero-shot, few-shot, fine-tuned")] = "zero-shot",
    split: Annotated[str, typer.Option(help="What a test question shares with no training one: user, item or time")] = "user",
    test_share: Annotated[float, typer.Option(help="Share of the samples that are test questions")] = 0.5,
    questions: Annotated[int | None, typer.Option(help="Most test questions", min=1)] = None,
    profile: Annotated[str, typer.Option(help="Words of the questions: recommend_json or recommend_paper")] = "recommend_json",
    noun: NounOption = None,
    he2023: Annotated[bool, typer.Option("--he2023", help="Score models by the protocol of He et al. (2023) too, into he2023.csv")] = False,
    api_base: Annotated[str | None, typer.Option(help="Endpoint of an OpenAI-compatible server")] = None,
    budget_usd: Annotated[float | None, typer.Option(help="Hard stop, in US dollars", min=0)] = None,
    concurrency: ConcurrencyOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    seed: Annotated[int, typer.Option(help="Seed of every random choice")] = 2024,
    out: Annotated[Path | None, typer.Option(help="Folder for the table as text, Markdown and Parquet")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare recommenders on a corpus and print Table 5: Recall, NDCG and MRR at 5, 10 and 50, with 95 % intervals in the files."""
    home: Home = ctx.obj
    from flows.running import run_flow

    choices: dict[str, Any] = {
        "models": names(model),
        "settings": names(setting),
        "split": split,
        "test_share": test_share,
        "profile": profile,
        "noun": noun,
        "he2023": he2023,
        "questions": questions,
        "api_base": api_base,
        "budget_usd": budget_usd,
        "concurrency": concurrency,
        "rpm": rpm,
        "tpm": tpm,
        "seed": seed,
        "out": str(out) if out else None,
        "data": str(home.data),
    }

    async def start() -> Any:
        from flows.evaluate import evaluate_recommend

        return await evaluate_recommend(corpus, **choices)

    with Bars() as bars:
        found = run_flow(home, "evaluation", bars, start, warm=("flows.evaluate",))
    from tasks.evaluation.results import table5, table5_text

    if as_json:
        print_json(table5(found).to_dicts())
    else:
        OUT.print(table5_text(found), markup=False)
        from flows.evaluating import name_of

        OUT.print(f"\nwith intervals and losses: {out or home.data / 'reports' / 'evaluation' / name_of(home, corpus)}", markup=False)


@evaluate.command(epilog="Example: redial evaluate quality demo ../redial/test_data.jsonl --judge openai/gpt-4o-mini")
def quality(
    ctx: typer.Context,
    corpora: Annotated[list[str], typer.Argument(help="Domains or paths; the first is compared with each other one", show_default=False)],
    judge: Annotated[str, typer.Option(help="Judges: litellm models, separated by commas")],
    seeds: Annotated[int, typer.Option(help="How often each judge judges, each time with another sampling seed", min=1)] = 1,
    dialogues: Annotated[int, typer.Option(help="Dialogues of each corpus whose utterances are graded", min=1)] = 10,
    pairs: Annotated[int, typer.Option(help="Pairs of conversations in each comparison", min=1)] = 50,
    study: Annotated[Path | None, typer.Option(help="A study answered by people, to hold the judges against")] = None,
    api_base: Annotated[str | None, typer.Option(help="Endpoint of an OpenAI-compatible server")] = None,
    budget_usd: Annotated[float | None, typer.Option(help="Hard stop, in US dollars", min=0)] = None,
    concurrency: ConcurrencyOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    seed: Annotated[int, typer.Option(help="Seed of every draw")] = 2024,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables")] = None,
) -> None:
    """Let models judge dialogues as people did in the paper: Table 4, Figure 4, agreement, position bias."""
    home: Home = ctx.obj
    from flows.running import run_flow

    async def start() -> Any:
        from flows.judging import evaluate_quality

        said = str(study) if study else None
        return await evaluate_quality(
            corpora,
            names(judge),
            seeds,
            dialogues,
            pairs,
            said,
            api_base,
            budget_usd,
            concurrency,
            rpm,
            tpm,
            seed,
            str(out) if out else None,
            str(home.data),
        )

    with Bars() as bars:
        OUT.print(run_flow(home, "evaluation", bars, start, warm=("flows.judging",)), markup=False)


@evaluate.command(epilog="Example: redial evaluate respond demo --model openai/gpt-4o-mini --cases 3")
def respond(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    model: Annotated[str, typer.Option(help="A litellm model")] = "offline",
    setting: Annotated[str, typer.Option(help="zero-shot, few-shot, or both with a comma")] = "zero-shot,few-shot",
    fine_tuned: Annotated[str | None, typer.Option(help="A fine-tuned model to stand beside it")] = None,
    cases: Annotated[int, typer.Option(help="How many samples", min=1)] = 3,
    history: Annotated[bool, typer.Option(help="Show the user's history")] = True,
    noun: NounOption = None,
    api_base: Annotated[str | None, typer.Option(help="Endpoint of an OpenAI-compatible server")] = None,
    budget_usd: Annotated[float | None, typer.Option(help="Hard stop, in US dollars", min=0)] = None,
    concurrency: ConcurrencyOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw")] = 2024,
    out: Annotated[Path | None, typer.Option(help="Folder for the page")] = None,
) -> None:
    """Let a model say the agent's next utterance for some samples, beside the ground truth (the paper's Figure 6)."""
    home: Home = ctx.obj
    from flows.running import run_flow

    async def start() -> Any:
        from flows.responding import evaluate_respond

        folder = str(out) if out else None
        asked: Any = names(setting)
        limits = (budget_usd, concurrency, rpm, tpm)
        return await evaluate_respond(
            corpus, names(model)[0], asked, fine_tuned, cases, history, noun, api_base, *limits, seed, folder, str(home.data)
        )

    with Bars() as bars:
        OUT.print(run_flow(home, "evaluation", bars, start, warm=("flows.responding",)), markup=False)


@evaluate.command(epilog="Example: redial evaluate he2023 test.jsonl answers.jsonl.gz entity2id.json")
def he2023(
    test: Annotated[Path, typer.Argument(help="Their test set, JSON lines", show_default=False)],
    answers: Annotated[Path, typer.Argument(help="Stored answers, JSON lines, .gz or plain", show_default=False)],
    entities: Annotated[Path, typer.Argument(help="Entity names to ids, JSON", show_default=False)],
    rematch: Annotated[bool, typer.Option("--rematch", help="Find the nearest names anew and bound what ties could change")] = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored answers by the protocol of He et al. (2023), in its four variants."""
    from flows.cli.views import show_rows
    from flows.he2023 import he2023_summaries, shown

    summaries = he2023_summaries(test, answers, entities, rematch=rematch)
    if as_json:
        print_json(summaries)
        return
    for name, rows in summaries.items():
        show_rows(OUT, shown(rows), name)
