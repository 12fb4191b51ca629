"""`redial report` and `redial browse`: pages to look at what was made."""

from __future__ import annotations

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, print_json
from tasks.settings import Home


@app.command(epilog="Example: redial report demo")
def report(ctx: typer.Context, domain: DomainArgument, as_json: JsonOption = False) -> None:
    """Write a domain's report: one HTML file that opens without a network."""
    from tasks.reports import report_from_warehouse

    home: Home = ctx.obj
    page = report_from_warehouse(home, domain)
    if as_json:
        print_json({"page": str(page), "bytes": page.stat().st_size})
    else:
        OUT.print(f"report: {page}", markup=False)
