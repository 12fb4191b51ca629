"""`redial build` and `redial fetch`: the commands that make something."""

from __future__ import annotations

from typing import Any

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import ERR, OUT, Bars, print_json
from flows.cli.parameters import SettingOption, options_of, with_settings
from flows.options import BuildOptions
from flows.parameters import fields_of
from tasks.settings import Home, load_domain
from tasks.warehouse import WarehouseHeld, domain_lock


@app.command(epilog="Example: redial build demo --seed 7 --max-dialogues 50")
@options_of(options=fields_of(BuildOptions, without=["settings"]))
def build(
    ctx: typer.Context,
    domain: DomainArgument,
    *,
    options: BuildOptions,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a domain's dataset: reviews in, released dialogues out.

    Stages already done are not done again.
    """
    options = with_settings(options, setting)
    home: Home = ctx.obj
    chosen = load_domain(home, domain, options.over())
    from flows.preflight import check_build
    from flows.server.ephemeral import run_flow

    try:
        check_build(home, chosen, options)  # a mistake is told before anything is started
    except WarehouseHeld:
        with domain_lock(home, domain):  # names the domain and who holds it, where it is held
            raise
    with domain_lock(home, domain):
        pass  # and so is another build of this domain; the flow takes the lock for good

    async def start() -> Any:
        from flows.build import build as build_flow

        return await build_flow(domain, options, str(home.data), return_state=True)

    with Bars() as bars:
        result = run_flow(home, domain, bars, start)
    if as_json:
        print_json(result.as_json())
    else:
        from flows.cli.views import show_result

        show_result(OUT, result)


@app.command(epilog="Example: redial fetch books")
def fetch(ctx: typer.Context, domain: DomainArgument) -> None:
    """Download a domain's source files from the addresses in its file; goes on where it was cut off."""
    from tasks.ingest import fetch as fetch_sources

    home: Home = ctx.obj
    chosen = load_domain(home, domain)
    with Bars() as bars:
        files = fetch_sources(chosen, lambda name, done, total: bars.advance(name, done, total))
    for file in files:
        ERR.print(f"  {file}", markup=False)
