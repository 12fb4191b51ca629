"""`redial lineage`: where a dialogue or a release comes from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import JsonOption, OfDomainOption, app
from flows.cli.console import OUT, print_json
from tasks.settings import Home

if TYPE_CHECKING:
    from tasks.lineage import DialogueLineage


@app.command(epilog="Example: redial lineage 3f2a")
def lineage(
    ctx: typer.Context,
    of: Annotated[
        str,
        typer.Argument(
            help="A dialogue's id or its first digits, or DOMAIN/ID; a release's folder, "
            "version or DOMAIN/latest",
            show_default=False,
        ),
    ],
    domain: OfDomainOption = "",
    page: Annotated[
        Path | None,
        typer.Option(
            "--page",
            help="Write a page with the stages, the tables and the dialogue's path to this file",
        ),
    ] = None,
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Show the prompts that were sent, word for word")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a dialogue or a release was made from.

    Source lines, reviews, brief, prompts, answers, rules and runs.
    """
    from flows.trace import trace
    from tasks.lineage import DialogueLineage, dialogue_lines, release_lines

    home: Home = ctx.obj
    if page is not None:
        from flows.trace import write_lineage_page

        OUT.print(f"lineage page: {write_lineage_page(home, of, page, domain)}", markup=False)
        return
    traced = trace(home, of, domain)
    if as_json:
        print_json(asdict(traced))
        return
    lines = dialogue_lines(traced) if isinstance(traced, DialogueLineage) else release_lines(traced)
    for line in lines:
        OUT.print(line, markup=False)
    if prompt and isinstance(traced, DialogueLineage):
        _show_prompts(traced)


def _show_prompts(traced: DialogueLineage) -> None:
    for attempt in traced.attempts:
        for one in attempt.asked:
            for message in one.prompt or ():
                OUT.print(f"\n[{message['role']}] of request {one.request_key}", markup=False)
                OUT.print(message["content"], markup=False)
