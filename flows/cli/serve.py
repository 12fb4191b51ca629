"""`redial serve` and `redial backfill`: operating the pipeline through Prefect."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from flows.cli.app import JsonOption, app
from flows.cli.console import ERR, OUT, Bars, print_json
from flows.cli.parameters import SettingOption, with_settings
from flows.options import BuildOptions
from tasks.settings import Home, load_domain

WITH_LOGIN = "It asks for the user and password in PREFECT_SERVER_API_AUTH_STRING."
WITHOUT_LOGIN = (
    "It listens on this machine alone, and whoever works on this machine can use it.\n"
    'To have it ask for a password, start it with PREFECT_SERVER_API_AUTH_STRING="user:password".'
)


@app.command(epilog="Example: redial serve --port 4200")
def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(help="Port of the Prefect UI on loopback; the pages get the next one", min=1024, max=65534)] = 4200,
    workers: Annotated[int, typer.Option(help="Worker processes on the pool", min=1, max=16)] = 1,
    limit: Annotated[
        int, typer.Option(help="Most runs a worker takes at a time; a backfill is one, each of its domains another", min=2)
    ] = 4,
) -> None:
    """Start a Prefect server, a work pool with workers and every deployment of prefect.yaml; Ctrl-C ends all of it."""
    from flows.serving import interrupt_on_terminate, serving

    home: Home = ctx.obj
    interrupt_on_terminate()
    ERR.print("starting the Prefect server, the pages and the worker ...")
    try:
        with serving(home, port, workers, limit) as up:
            OUT.print(f"Prefect UI  {up.ui}")
            OUT.print(f"pages       {up.pages}")
            OUT.print(WITH_LOGIN if os.environ.get("PREFECT_SERVER_API_AUTH_STRING") else WITHOUT_LOGIN)
            OUT.print("Ctrl-C ends all of it.")
            OUT.file.flush()
            up.wait()
    except KeyboardInterrupt:
        ERR.print("stopped")


@app.command(epilog="Example: redial backfill demo books --at-once 2")
def backfill(
    ctx: typer.Context,
    domains: Annotated[list[str], typer.Argument(help="Names of domains", show_default=False)],
    at_once: Annotated[int, typer.Option(help="Most domains at a time", min=1, max=32)] = 2,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build many domains, each as a run of its own; one that fails stops no other."""
    from flows.outcomes import FINE, result_of
    from flows.running import run_flow

    home: Home = ctx.obj
    options = with_settings(BuildOptions(), setting)
    for domain in domains:
        load_domain(home, domain, options.over())

    async def start() -> Any:
        from flows.backfill import backfill as backfill_flow

        return await result_of(await backfill_flow(domains, options, at_once, "here", str(home.data), return_state=True))

    with Bars() as bars:
        rows = run_flow(home, "backfill", bars, start)
    if as_json:
        print_json(rows)
    else:
        from flows.cli.views import show_rows

        show_rows(OUT, rows)
    if any(row["state"] not in FINE for row in rows):
        raise typer.Exit(2)
