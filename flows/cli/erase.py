"""`redial erase`: users who want to be forgotten."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import ERR, OUT, print_json
from flows.cli.views import show_facts
from tasks.errors import UserError
from tasks.settings import Home

if TYPE_CHECKING:
    from tasks.erasure import Erased, Others, Plan


@app.command(epilog="Example: redial erase demo ABGMGUUX4MSC5 --yes")
def erase(
    ctx: typer.Context,
    domain: DomainArgument,
    users: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of users, as in the source files", show_default=False),
    ] = None,
    *,
    file: Annotated[
        Path | None, typer.Option(help="File of ids, one a line", show_default=False)
    ] = None,
    others: Annotated[
        str,
        typer.Option(
            help="Dialogues of others that retell a review of these users: rewrite (the next build "
            "writes them from another review) or drop (for good)"
        ),
    ] = "rewrite",
    yes: Annotated[
        bool, typer.Option("--yes", help="Erase without asking, old releases included")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase users from a domain: warehouse, answers, pages, exports and releases.

    Each release that holds them gets a new version without them. Later builds leave them out.
    """
    from tasks.erasure import erase_users, read_ids

    home: Home = ctx.obj
    wanted = [*(users or ()), *(read_ids(file) if file else ())]
    if not yes and not sys.stdin.isatty():
        raise UserError("erasing cannot be undone: add --yes to erase without being asked")
    done = erase_users(
        home,
        domain,
        wanted,
        others=_others(others),
        confirm=lambda plan: yes or _confirmed(plan),
    )
    if done is None:
        ERR.print("  nothing was erased", markup=False)
    elif as_json:
        print_json(done.as_json())
    else:
        _show(done)


def _others(text: str) -> Others:
    if text == "drop":
        return "drop"
    if text == "rewrite":
        return "rewrite"
    raise UserError(f"--others takes rewrite or drop, not {text[:40]!r}")


def _confirmed(plan: Plan) -> bool:
    show_facts(OUT, plan.counts(), f"to be erased from {plan.domain}")
    for user in plan.unknown:
        ERR.print(f"  nothing is here of {user}", markup=False)
    return typer.confirm("Erase them? This cannot be undone.")


def _show(done: Erased) -> None:
    show_facts(OUT, done.removed or {"nothing": 0}, "erased")
    for old, new in done.versions.items():
        OUT.print(f"release {old}: {f'now {new}' if new else 'removed'}", markup=False)
    for path in done.left:
        OUT.print(f"still named in {path}: {_what_to_do(path)}", markup=False)
    for what in done.beyond:
        OUT.print(f"beyond this command: {what}", markup=False)


def _what_to_do(path: str) -> str:
    """Return what helps where a file below the data folder still names a user."""
    folder, _, name = path.partition("/")
    if folder == "warehouse" and name.endswith(".duckdb"):
        return f"`redial erase {name.removesuffix('.duckdb')} USER` erases them there too"
    return "remove it yourself"
