"""`redial init`: a project folder of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.app import app
from flows.cli.console import OUT


@app.command(epilog="Example: redial init books --domain books")
def init(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Folder to write to; this one if left out", show_default=False)
    ] = Path(),
    domain: Annotated[str, typer.Option(help="Name of its domain")] = "reviews",
) -> None:
    """Write a project folder: a domain, deployments, places for own templates, prompts, suites.

    The domain can be built at once, with the demo's reviews. No file that is there is changed.
    """
    from tasks.project_folder import make_project

    for path in make_project(ctx.obj, folder, domain):
        OUT.print(f"  {path}", markup=False)
    OUT.print(f"now: cd {folder} && redial --data data build {domain}", markup=False)
