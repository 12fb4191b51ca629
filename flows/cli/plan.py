"""`redial plan`: what a build would take, before a cent is spent."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.build import make_options, settings_from
from flows.cli.console import OUT, Bars, print_json
from flows.cli.views import show_facts
from tasks.settings import Home, load_domain


@app.command(epilog="Example: redial plan demo --model openai/gpt-4o-mini,anthropic/claude-3-5-haiku-latest --rpm 500")
def plan(
    ctx: typer.Context,
    domain: DomainArgument,
    model: Annotated[str | None, typer.Option(help="litellm models, separated by commas; the domain's own if not given")] = None,
    profile: Annotated[str | None, typer.Option(help="Prompt profile: grounded or paper")] = None,
    rollout: Annotated[str | None, typer.Option(help="single or dual")] = None,
    max_dialogues: Annotated[int | None, typer.Option(help="Plan at most so many dialogues")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Most calls in flight")] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests a minute the provider allows")] = None,
    tpm: Annotated[int | None, typer.Option(help="Tokens a minute the provider allows")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Any setting, as preprocess.core=fixpoint")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell dialogues, tokens, dollars and hours for one or several models; nothing is sent.

    Repairs are not in it: they depend on how many dialogues fall.
    """
    home: Home = ctx.obj
    models = [name.strip() for name in model.split(",") if name.strip()] if model else None
    options = make_options(
        profile=profile,
        rollout=rollout,
        max_dialogues=max_dialogues,
        concurrency=concurrency,
        rpm=rpm,
        tpm=tpm,
        settings=settings_from(setting or []),
    )
    chosen = load_domain(home, domain, options.over())
    from flows.preflight import check_inputs
    from flows.running import run_flow

    check_inputs(home, chosen)

    async def start() -> Any:
        from flows.plan import plan as plan_flow

        return await plan_flow(domain, models, options, str(home.data))

    with Bars() as bars:
        rows = run_flow(home, domain, bars, start, warm=("flows.plan", "litellm"))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        shown = {name: "unknown price" if name == "dollars" and value is None else value for name, value in row.items() if name != "model"}
        show_facts(OUT, shown, row["model"])
