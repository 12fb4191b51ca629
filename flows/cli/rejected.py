"""`redial rejected`: the source lines that were not used, and the rules that dialogues broke."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, print_json
from flows.cli.views import show_rows
from tasks.funnel import read_funnel
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
    """Show the source lines that were not used, by kind, and the rules that dialogues broke.

    Of a rule, `root_causes` counts the dialogues whose finding follows from no other rule's.
    """
    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        rejected_lines = read_rejected(con, kind, limit)
        rules = read_funnel(con).rules
    if as_json:
        print_json({**asdict(rejected_lines), "rules": rules})
        return
    show_rows(OUT, rejected_lines.kinds, f"lines of {domain} that were not used")
    if rejected_lines.kinds:
        show_rows(OUT, rejected_lines.lines, f"the first {len(rejected_lines.lines)}")
    show_rows(OUT, rules, "rules broken by dialogues (one may break several)")
