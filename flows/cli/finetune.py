"""`redial evaluate finetune`: a model taught before it is compared."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.cli.console import OUT, Bars
from flows.cli.evaluate import CorpusArgument, NounOption, evaluate
from tasks.settings import Home


@evaluate.command(epilog="Example: redial evaluate finetune demo --base openai/gpt-4o-mini-2024-07-18")
def finetune(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    base: Annotated[str, typer.Option(help="local/vicuna_7b, local/FILE.yaml, or a provider's model")] = "local/vicuna_7b",
    history: Annotated[bool, typer.Option(help="Show the user's history in the questions")] = True,
    split: Annotated[str, typer.Option(help="What a test question shares with no training one: user, item or time")] = "user",
    test_share: Annotated[float, typer.Option(help="Share of the samples that are test questions")] = 0.5,
    profile: Annotated[str, typer.Option(help="Words of the questions: recommend_json or recommend_paper")] = "recommend_json",
    noun: NounOption = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the examples", min=1)] = None,
    api_base: Annotated[str | None, typer.Option(help="Another endpoint than the provider's own")] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random choice")] = 2024,
) -> None:
    """Fine-tune a model on what a split leaves for training; at a provider, or on this machine with LoRA (extra `finetune`)."""
    home: Home = ctx.obj
    from flows.running import run_flow

    choices: dict[str, Any] = {
        "split": split,
        "test_share": test_share,
        "profile": profile,
        "noun": noun,
        "epochs": epochs,
        "api_base": api_base,
        "seed": seed,
        "data": str(home.data),
    }

    async def start() -> Any:
        from flows.finetuning import evaluate_finetune

        return await evaluate_finetune(corpus, base, history, **choices)

    with Bars() as bars:
        made = run_flow(home, "evaluation", bars, start, warm=("flows.finetuning",))
    OUT.print(f"{made.model}\nevaluate it: redial evaluate recommend {made.how} --setting fine-tuned --model {made.model}", markup=False)
