"""`redial report` and `redial browse`: pages to look at what was made."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, print_json
from tasks.settings import Home


@app.command(epilog="Example: redial report demo")
def report(ctx: typer.Context, domain: DomainArgument, as_json: JsonOption = False) -> None:
    """Write a domain's report and Data Docs, of its last run: HTML files that open without a network."""
    from tasks.history import history_from_warehouse
    from tasks.release import verify_latest
    from tasks.reports import pages_from_warehouse

    home: Home = ctx.obj
    verify_latest(home, domain)
    pages = pages_from_warehouse(home, domain).latest
    history = history_from_warehouse(home, domain)
    page = pages["report"]
    if as_json:
        print_json({"page": str(page), "bytes": page.stat().st_size})
    else:
        OUT.print(f"report: {page}", markup=False)
        OUT.print(f"data-docs: {pages['data-docs']}", markup=False)
        OUT.print(f"history: {history}", markup=False)


@app.command(epilog="Example: redial browse")
def browse(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(help="Port on this machine", min=1, max=65535)] = 8766,
) -> None:
    """Look through every domain's dialogues in a web browser, each beside its brief, prompt, attempts and evidence; Ctrl-C ends it."""
    from tasks.reports import serve_browser

    home: Home = ctx.obj
    OUT.print(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)", markup=False)
    serve_browser(home, port=port)
