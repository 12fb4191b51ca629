"""`redial report`, `browse` and `marks`: pages about what was made, and what people say of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import ERR, OUT, print_json, print_plain
from flows.cli.views import show_rows
from tasks.errors import UserError
from tasks.settings import Home


@app.command(epilog="Example: redial report demo")
def report(ctx: typer.Context, domain: DomainArgument, as_json: JsonOption = False) -> None:
    """Write a domain's report and Data Docs, of its last run.

    They are HTML files that open without a network.
    """
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
    """Look through every domain's dialogues in a web browser.

    Each is shown beside its brief, prompt, attempts and evidence; Ctrl-C ends it.
    """
    from tasks.reports import serve_browser

    home: Home = ctx.obj
    OUT.print(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)", markup=False)
    serve_browser(home, port=port)


@app.command(epilog="Example: redial marks demo --csv")
def marks(
    ctx: typer.Context,
    domain: DomainArgument,
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show or export every mark and comment that people gave a domain's dialogues.

    They come from `redial browse`, the oldest first.
    """
    from tasks.marks import load_marks, marks_csv, read_log, read_marks
    from tasks.warehouse import domain_lock, open_warehouse, read_warehouse

    home: Home = ctx.obj
    home.domain_file(domain)
    log = read_log(home, domain)
    marks_shown = list(log.marks)
    if home.warehouse(domain).exists():
        with (
            suppress(UserError),
            domain_lock(home, domain, patience_s=0),
            open_warehouse(home.warehouse(domain)) as con,
        ):
            load_marks(con, log)  # a build that works on the domain loads them itself
        with suppress(UserError), read_warehouse(home.warehouse(domain)) as con:
            marks_shown = read_marks(con, log)
    if log.unreadable:
        ERR.print(
            f"{log.unreadable:,} lines of {domain}'s marks hold no mark and were passed over",
            markup=False,
        )
    if as_csv:
        print_plain(marks_csv(marks_shown))
    elif as_json:
        print_json([asdict(mark) for mark in marks_shown])
    else:
        shown = ("marked_at", "who", "dialogue_id", "attempt", "mark", "comment")
        show_rows(
            OUT,
            [{name: getattr(mark, name) for name in shown} for mark in marks_shown],
            f"marks of {domain}",
        )
