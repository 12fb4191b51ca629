"""`redial rejected`: the source lines that were not used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, print_json
from flows.cli.views import show_rows
from tasks.ingest import read_rejected
from tasks.settings import Home
from tasks.warehouse import read_warehouse


@app.command(epilog="Example: redial rejected demo --kind broken_line")
def rejected(
    ctx: typer.Context,
    domain: DomainArgument,
    kind: Annotated[
        str | None, typer.Option(help="Show the lines of this kind alone, such as bad_rating")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Show at most so many lines")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the source lines that were not used: how many of each kind, where they stand and what is wrong with them."""
    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        found = read_rejected(con, kind, limit)
    if as_json:
        print_json(asdict(found))
        return
    show_rows(OUT, found.kinds, f"lines of {domain} that were not used")
    if found.kinds:
        show_rows(OUT, found.lines, f"the first {len(found.lines)}")
