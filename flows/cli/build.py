"""`redial build` and `redial fetch`: the commands that make something."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import ERR, OUT, Bars, print_json
from flows.options import BuildOptions
from tasks.errors import UserError
from tasks.settings import Home, load_domain
from tasks.settings.complaints import validation_line
from tasks.settings.loading import merge, parse_yaml
from tasks.warehouse import domain_lock


@app.command(epilog="Example: redial build demo --seed 7 --max-dialogues 50")
def build(
    ctx: typer.Context,
    domain: DomainArgument,
    model: Annotated[str | None, typer.Option(help="litellm model string, such as openai/gpt-4o-mini")] = None,
    api_base: Annotated[str | None, typer.Option(help="Endpoint of an OpenAI-compatible server, Ollama or vLLM")] = None,
    profile: Annotated[str | None, typer.Option(help="Prompt profile: grounded or paper")] = None,
    rollout: Annotated[str | None, typer.Option(help="single (one call a dialogue) or dual (two agents, turn by turn)")] = None,
    mode: Annotated[str | None, typer.Option(help="live or batch")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random choice")] = None,
    max_dialogues: Annotated[int | None, typer.Option(help="Plan at most so many dialogues")] = None,
    accepted: Annotated[int | None, typer.Option(help="Stop asking once so many dialogues are accepted")] = None,
    max_attempts: Annotated[int | None, typer.Option(help="Attempts a brief gets: the first request and its repairs")] = None,
    budget_usd: Annotated[float | None, typer.Option(help="Hard stop, in US dollars; the same command goes on later")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Most calls in flight")] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests a minute the provider allows")] = None,
    tpm: Annotated[int | None, typer.Option(help="Tokens a minute the provider allows")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that send requests")] = None,
    dask: Annotated[str | None, typer.Option(help="Dask cluster that sends requests: tcp://HOST:PORT or local:N")] = None,
    pseudonymise: Annotated[bool, typer.Option("--pseudonymise", help="Release keyed hashes of user ids, and no times")] = False,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Any setting, as preprocess.core=fixpoint")] = None,
    as_json: JsonOption = False,
) -> None:
    """Build a domain's dataset: reviews in, released dialogues out. Stages already done are not done again."""
    options = make_options(
        model=model,
        api_base=api_base,
        profile=profile,
        rollout=rollout,
        mode=mode,
        seed=seed,
        max_dialogues=max_dialogues,
        accepted=accepted,
        max_attempts=max_attempts,
        budget_usd=budget_usd,
        concurrency=concurrency,
        rpm=rpm,
        tpm=tpm,
        workers=workers,
        dask=dask,
        pseudonymise=pseudonymise,
        settings=settings_from(setting or []),
    )
    home: Home = ctx.obj
    chosen = load_domain(home, domain, options.over())
    from flows.preflight import check_build
    from flows.running import run_flow

    check_build(home, chosen, options)  # a mistake is told before anything is started
    with domain_lock(home, domain):
        pass  # and so is another build of this domain; the flow takes the lock for good

    async def start() -> Any:
        from flows.build import build as build_flow
        from flows.outcomes import result_of

        return await result_of(await build_flow(domain, options, str(home.data), return_state=True))

    with Bars() as bars:
        result = run_flow(home, domain, bars, start)
    if as_json:
        print_json(result.as_json())
    else:
        from flows.cli.views import show_result

        show_result(OUT, result)


def settings_from(pairs: list[str]) -> dict[str, Any]:
    """Turn `a.b=value` pairs into nested settings; values are read as YAML. Raises UserError."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        path, sign, text = pair.partition("=")
        if not sign or not all(path.split(".")):
            raise UserError(f"--set {pair!r} is not of the form section.name=value, such as preprocess.core=fixpoint")
        nested: Any = parse_yaml(text, f"--set {path}: the value {text[:80]!r}")
        for part in reversed(path.split(".")):
            nested = {part: nested}
        settings = merge(settings, nested)
    return settings


def make_options(**values: Any) -> BuildOptions:
    """Check a caller's choices. Raises UserError naming the option that is out of bounds."""
    from pydantic import ValidationError

    try:
        return BuildOptions(**values)
    except ValidationError as error:
        raise UserError(f"option {validation_line(error)}") from None


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
