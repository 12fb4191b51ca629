"""`redial plan`: what a build would take, before a cent is spent."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, Bars, print_json
from flows.cli.parameters import SettingOption, options_of, with_settings
from flows.cli.views import show_facts
from flows.options import BuildOptions
from flows.parameters import fields_of
from tasks.settings import Home, load_domain

PLANNED = ("profile", "rollout", "max_dialogues", "concurrency", "rpm", "tpm")


@app.command(
    epilog="Example: redial plan demo --model openai/gpt-4o-mini,anthropic/claude-3-5-haiku-latest --rpm 500"
)
@options_of(options=fields_of(BuildOptions, *PLANNED))
def plan(
    ctx: typer.Context,
    domain: DomainArgument,
    model: Annotated[
        str | None,
        typer.Option(help="litellm models, separated by commas; the domain's own if not given"),
    ] = None,
    *,
    options: BuildOptions,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell dialogues, tokens, dollars and hours for one or several models; nothing is sent.

    Repairs are not in it: they depend on how many dialogues fall.
    """
    home: Home = ctx.obj
    models = [name.strip() for name in model.split(",") if name.strip()] if model else None
    options = with_settings(options, setting)
    chosen = load_domain(home, domain, options.over())
    from flows.preflight import check_inputs
    from flows.server.ephemeral import run_flow

    check_inputs(home, chosen)

    async def start() -> Any:
        from flows.plan import plan as plan_flow

        return await plan_flow(domain, models, options, str(home.data), return_state=True)

    with Bars() as bars:
        rows = run_flow(home, domain, bars, start, warm=("flows.plan", "litellm"))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        shown = {
            name: "unknown price" if name == "dollars" and value is None else value
            for name, value in row.items()
            if name != "model"
        }
        show_facts(OUT, shown, row["model"])
