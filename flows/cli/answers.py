"""`redial evaluate answers`: what models answered in an evaluation, and how it was read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import OUT
from flows.cli.evaluate import CorpusArgument, evaluate
from tasks.settings import Home


@evaluate.command(epilog="Example: redial evaluate answers demo --unread")
def answers(
    ctx: typer.Context,
    corpus: CorpusArgument = "demo",
    model: Annotated[str, typer.Option(help="Only models whose name holds this")] = "",
    unread: Annotated[
        bool, typer.Option("--unread", help="Only answers without a readable title")
    ] = False,
    limit: Annotated[int, typer.Option(help="How many are shown", min=1)] = 5,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the evaluation, where --out chose one")
    ] = None,
) -> None:
    """Show what models were asked and answered, how each answer was read, and what matched.

    Of the last `redial evaluate recommend`; all of it is written as a page beside its tables.
    """
    home: Home = ctx.obj
    from flows.evaluation.setup import name_of, save
    from tasks.evaluation import LOG, answers_markdown, read_log

    folder = out or home.data / "reports" / "evaluation" / name_of(home, corpus)
    found = [
        answer
        for answer in read_log(folder / LOG)
        if model in answer.model and not (unread and answer.readable)
    ]
    save(folder, {"answers.md": answers_markdown(found)})
    OUT.print(answers_markdown(found[:limit]), markup=False)
    shown = f"{min(limit, len(found))} of {len(found)} answers"
    OUT.print(f"{shown}; all of them: {folder / 'answers.md'}", markup=False)
