"""`redial history`: a domain's runs beside each other, and what changed."""

from __future__ import annotations

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, print_json
from flows.cli.views import show_rows
from tasks.settings import Home


@app.command(epilog="Example: redial history demo")
def history(ctx: typer.Context, domain: DomainArgument, as_json: JsonOption = False) -> None:
    """Show what each run of a domain came to, from the first to the last, and mark what changed by more than chance."""
    from tasks.history import change_lines, history_json, history_page, history_rows, read_history
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        found = read_history(con, domain)
    if as_json:
        print_json(history_json(found))
        return
    narrow = [
        {name: value for name, value in row.items() if name != "95 % interval"}
        for row in history_rows(found)
    ]
    show_rows(OUT, narrow, f"runs of {domain} that asked for something")
    for line in change_lines(found):
        OUT.print(line, markup=False)
    page = history_page(home, domain)
    if page.is_file():
        OUT.print(f"page: {page}", markup=False)
