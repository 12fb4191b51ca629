"""`redial evaluate finetune`: a model taught before it is compared."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.cli.app import comma_list
from flows.cli.console import OUT, Bars
from flows.cli.evaluate import CorpusArgument, evaluate
from flows.cli.parameters import options_of
from flows.options import EvaluationOptions, SampleOptions
from flows.parameters import fields_of
from tasks.errors import UserError
from tasks.settings import Home


@evaluate.command(
    epilog="Example: redial evaluate finetune demo --base openai/gpt-4o-mini-2024-07-18"
)
@options_of(
    parted=fields_of(SampleOptions), options=fields_of(EvaluationOptions, "api_base", "seed")
)
def finetune(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    base: Annotated[
        str,
        typer.Option(help="local/smollm2, local/FILE.yaml, or a provider's model"),
    ] = "local/vicuna_7b",
    history: Annotated[bool, typer.Option(help="Show the user's history in the questions")] = True,
    epochs: Annotated[int | None, typer.Option(help="Passes over the examples", min=1)] = None,
    target: Annotated[
        str,
        typer.Option(help="What is taught: recommend (ranked lists) or respond (utterances)"),
    ] = "recommend",
    max_examples: Annotated[
        int | None, typer.Option(help="Most examples, drawn by seed", min=1)
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="Most steps of a local training", min=1)
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Trainings of each, which differ in their seed", min=1)
    ] = 1,
    curve: Annotated[
        str, typer.Option(help="A learning curve: numbers of examples, separated by commas")
    ] = "",
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> None:
    """Fine-tune a model on what a split leaves for training.

    At a provider, or on this machine with LoRA (extra `finetune`).
    """
    home: Home = ctx.obj
    from flows.server.ephemeral import run_flow

    choices: dict[str, Any] = {
        "epochs": epochs,
        "target": target,
        "max_examples": max_examples,
        "max_steps": max_steps,
        "seeds": seeds,
        "curve": counts(curve),
        "api_base": options.api_base,
        "seed": options.seed,
        "data": str(home.data),
        **parted.model_dump(),
    }

    async def start() -> Any:
        from flows.evaluation.finetune import evaluate_finetune

        return await evaluate_finetune(corpus, base, history, **choices, return_state=True)

    with Bars() as bars:
        made = run_flow(home, "evaluation", bars, start, warm=("flows.evaluation.finetune",))
    names, training = [one.model for one in made], made[0].training
    evaluation = f"recommend {training.how} --model {','.join(names)}"
    if training.target == "respond":
        evaluation = f"respond {training.how} --fine-tuned {names[0]}"
    evaluated = "evaluate it" if len(names) == 1 else "evaluate them"
    lines = [*names, f"{evaluated}: redial evaluate {evaluation}"]
    OUT.print("\n".join(lines), markup=False, soft_wrap=True)


def counts(text: str) -> list[int]:
    """Return numbers with commas between them. Raises UserError for anything else."""
    words = comma_list(text)
    if not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise UserError(f"--curve {text[:80]!r} must be numbers of examples, such as 50,100,200")
    return [int(word) for word in words]
