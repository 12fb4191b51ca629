"""`redial serve` and `redial backfill`: operating the pipeline through Prefect."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.app import JsonOption, app
from flows.cli.console import ERR, OUT, Bars, print_json
from flows.cli.parameters import SettingOption, with_settings
from flows.options import BuildOptions
from flows.server.login import SERVER_LOGIN
from tasks.settings import Home, load_domain

if TYPE_CHECKING:
    from flows.server.supervisor import Serving

GIVEN_LOGIN = "It asks for the user and password in PREFECT_SERVER_API_AUTH_STRING."
NEW_LOGIN = """login       {login}
The UI asks for it as it is written here, the pages for user and password. It is new at each start,
unless PREFECT_SERVER_API_AUTH_STRING="user:password" is set. For commands in another terminal:
  export PREFECT_API_URL={ui}/api PREFECT_API_AUTH_STRING={login}"""
WITHOUT_LOGIN = """\
Nobody is asked for a login: every user and every program on this machine can start
runs, which spend the keys of this environment, and read every page. Web pages of other sites are
refused all the same."""


@app.command(epilog="Example: redial serve --port 4200")
def serve(
    ctx: typer.Context,
    port: Annotated[
        int,
        typer.Option(
            help="Port of the Prefect UI on loopback; the pages get the next one",
            min=1024,
            max=65534,
        ),
    ] = 4200,
    workers: Annotated[
        int,
        typer.Option(
            help="Worker processes on the pool; 0 where other machines have them", min=0, max=16
        ),
    ] = 1,
    limit: Annotated[
        int,
        typer.Option(
            help="Most runs a worker takes at a time; a backfill is one, each of its domains "
            "another",
            min=2,
        ),
    ] = 4,
    no_login: Annotated[
        bool,
        typer.Option(
            "--no-login",
            help="Ask nobody for a login: every user and every program on this machine can "
            "then start runs, which spend this"
            " environment's keys, and read every page. By default a login is made at each "
            "start and printed",
        ),
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            help="Address of the server's database, for more than one person "
            "postgresql+asyncpg://USER@HOST:PORT/NAME. Other users"
            " of this machine can read a command line, so give an address with a password in "
            "the variable REDIAL_DATABASE."
            " By default a SQLite file in the data folder",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            help="Address of this machine that UI and pages listen to. They speak plain "
            "HTTP: see docs/explanation/security.md"
        ),
    ] = "127.0.0.1",
) -> None:
    """Start a Prefect server, a work pool with workers and every deployment of prefect.yaml.

    Ctrl-C ends all of it.
    """
    from flows.server.supervisor import ServeOptions, interrupt_on_terminate, serving

    home: Home = ctx.obj
    options = ServeOptions(port, workers, limit, not no_login, database, listen)
    interrupt_on_terminate()
    ERR.print("starting the Prefect server, the pages and the workers ...")
    try:
        with serving(home, options, lambda line: ERR.print(line, markup=False)) as up:
            OUT.print(f"Prefect UI  {up.ui}")
            OUT.print(f"pages       {up.pages}")
            OUT.print(_about_login(up), markup=False, soft_wrap=True, highlight=False)
            OUT.print("Ctrl-C ends all of it.")
            OUT.file.flush()
            up.wait()
    except KeyboardInterrupt:
        ERR.print("stopped")


def _about_login(up: Serving) -> str:
    """Return what the terminal says of the login.

    One that came from the environment is not repeated.
    """
    if not up.login:
        return WITHOUT_LOGIN
    if os.environ.get(SERVER_LOGIN) == up.login:
        return GIVEN_LOGIN
    return NEW_LOGIN.format(login=up.login, ui=up.ui)


@app.command(epilog="Example: redial backfill demo books --at-once 2")
def backfill(
    ctx: typer.Context,
    domains: Annotated[
        list[str],
        typer.Argument(
            help="Names of domains, or all: every domain whose source files are there",
            show_default=False,
        ),
    ],
    at_once: Annotated[int, typer.Option(help="Most domains at a time", min=1, max=32)] = 2,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build many domains, each as a run of its own; one that fails stops no other."""
    from flows.backfill_domains import is_fine, wants_all
    from flows.server.ephemeral import run_flow

    home: Home = ctx.obj
    options = with_settings(BuildOptions(), setting)
    for domain in () if wants_all(domains) else domains:
        load_domain(home, domain, options.over())

    async def start() -> Any:
        from flows.backfill import backfill as backfill_flow

        return await backfill_flow(
            domains, options, at_once, "here", str(home.data), return_state=True
        )

    with Bars() as bars:
        rows = run_flow(home, "backfill", bars, start)
    if as_json:
        print_json(rows)
    else:
        from flows.cli.views import show_rows

        show_rows(OUT, rows)
    if any(not is_fine(row["state"]) for row in rows):
        raise typer.Exit(2)
