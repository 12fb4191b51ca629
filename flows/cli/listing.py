"""`redial list`: what there is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from flows.cli.app import JsonOption, OfDomainOption, app
from flows.cli.console import ERR, OUT, print_json
from flows.cli.views import show_rows
from tasks.settings import Home

_FOR_PROGRAMS = ("file", "path", "finished_at", "flow", "code")  # columns that --json alone has
_RUN_DIGITS = 8


class What(StrEnum):
    """What is listed."""

    domains = "domains"
    releases = "releases"
    runs = "runs"


@app.command("list", epilog="Example: redial list runs --domain demo")
def list_command(
    ctx: typer.Context,
    what: Annotated[
        What | None,
        typer.Argument(
            help="domains, releases or runs; all three where left out", show_default=False
        ),
    ] = None,
    domain: OfDomainOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many runs")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List domains, releases and runs, with the names by which other commands take them."""
    from tasks.inventory import list_domains, list_releases, list_runs

    home: Home = ctx.obj
    if domain:
        home.domain_file(domain)
    listing: dict[str, list[dict[str, Any]]] = {}
    problems: list[str] = []
    if what in (None, What.domains):
        listing["domains"] = [row for row in list_domains(home) if domain in ("", row["domain"])]
    if what in (None, What.releases):
        listing["releases"] = list_releases(home, domain)
    if what in (None, What.runs):
        listing["runs"], problems = list_runs(home, domain, limit)
    for problem in problems:
        ERR.print(problem, markup=False)
    if as_json:
        print_json(listing if what is None else listing[what])
        return
    for name, rows in listing.items():
        left_out = {
            *_FOR_PROGRAMS,
            *(() if any(row.get("problem") for row in rows) else ("problem",)),
        }
        show_rows(OUT, [_short(row, left_out) for row in rows], name)


def _short(row: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    """Return a row without some columns.

    A run's id is cut to its first digits, by which other commands take it.
    """
    kept = {name: value for name, value in row.items() if name not in left_out}
    return {**kept, "run_id": kept["run_id"][:_RUN_DIGITS]} if "run_id" in kept else kept
