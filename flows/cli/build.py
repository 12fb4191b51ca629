"""`redial fetch`, `plan` and `build`: from source files to a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows import api
from flows.cli.app import DomainArgument, JsonOption, app, comma_list
from flows.cli.console import ERR, OUT, Bars, print_json
from flows.cli.parameters import SettingOption, options_of, with_cascade, with_settings
from flows.cli.views import show_facts, show_result, show_rows
from flows.options import BuildOptions
from flows.parameters import fields_of
from tasks.errors import UserError
from tasks.settings import Home, load_domain

if TYPE_CHECKING:
    from flows.build_result import BuildResult

PLANNED = (
    *("api_base", "profile", "rollout", "mode", "max_dialogues"),
    *("concurrency", "rpm", "tpm"),
)


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
    with Bars() as bars:
        result = api.build(domain, options, data=home.data, progress=bars)
    _show(result, as_json)


def _show(result: BuildResult, as_json: bool) -> None:
    if as_json:
        print_json(result.as_json())
    else:
        show_result(OUT, result)


@app.command(epilog="Example: redial retry demo --rejected")
@options_of(options=fields_of(BuildOptions, without=["settings", "accepted"]))
def retry(
    ctx: typer.Context,
    domain: DomainArgument,
    brief_id: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of briefs, or the first digits of each", show_default=False),
    ] = None,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="Briefs that got no answer at all")
    ] = False,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Briefs whose dialogue broke a rule to the end")
    ] = False,
    empty: Annotated[
        bool,
        typer.Option(
            "--empty", help="Briefs whose answers said nothing: empty, refused, cut off, withheld"
        ),
    ] = False,
    options: BuildOptions,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask again for chosen briefs of the last build, whatever is stored for them.

    It says first how many are asked and what that will cost. What they came to is replaced by what
    they come to now; earlier answers stay on the bill. Give the options of the last build.
    """
    options = with_settings(options, setting)
    home: Home = ctx.obj
    with Bars() as bars:
        result = api.retry(
            domain,
            brief_id or (),
            options,
            failed=failed,
            rejected=rejected,
            empty=empty,
            data=home.data,
            progress=bars,
        )
    _show(result, as_json)


@app.command(epilog="Example: redial fetch books")
def fetch(ctx: typer.Context, domain: DomainArgument) -> None:
    """Download a domain's source files from the addresses in its file.

    A download that was cut off goes on where it ended.
    """
    from tasks.ingest import fetch as fetch_sources

    home: Home = ctx.obj
    chosen = load_domain(home, domain)
    with Bars() as bars:
        files = fetch_sources(chosen, lambda name, done, total: bars.advance(name, done, total))
    for file in files:
        ERR.print(f"  {file}", markup=False)


def _at_endpoint(options: BuildOptions, models: list[str]) -> BuildOptions:
    """Return the options with the one model that is asked at `--api-base`, as a build has it."""
    if len(models) > 1:
        raise UserError("--api-base is the endpoint of one model: name one with --model")
    return options.model_copy(update={"model": models[0]}) if models else options


@app.command(
    epilog="Example: redial plan demo --model "
    "openai/gpt-4o-mini,anthropic/claude-3-5-haiku-latest --rpm 500"
)
@options_of(options=fields_of(BuildOptions, *PLANNED))
def plan(
    ctx: typer.Context,
    domain: DomainArgument,
    model: Annotated[
        str | None,
        typer.Option(help="litellm models, separated by commas; the domain's own if not given"),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="ask for so many briefs with each order of the models, the cheapest first, and "
            "say what an accepted dialogue costs by each; 50 are a good sample",
        ),
    ] = None,
    *,
    options: BuildOptions,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate dialogues, tokens, dollars and hours for one or several models.

    Nothing is sent without --sample. Repairs are in a sample alone: they depend on how many
    dialogues fall.
    """
    home: Home = ctx.obj
    models = comma_list(model or "")
    options = with_settings(options, setting)
    if options.api_base:
        options, models = _at_endpoint(options, models), []
    if sample and models:
        options, models = with_cascade(options, models), []
    with Bars() as bars:
        rows = api.plan(domain, models, options, sample=sample, data=home.data, progress=bars)
    if as_json:
        print_json(rows)
        return
    shown = [_readable(row) for row in rows]
    if len(shown) > 1:
        show_rows(OUT, [{name: row[name] for name in _COMPARED if name in row} for row in shown])
        return
    for row in shown:
        show_facts(OUT, {name: row[name] for name in row if name != "model"}, str(row["model"]))


_COMPARED = (
    "model",
    "dialogues",
    "calls",
    "input tokens",
    "output tokens",
    "dollars",
    "dollars 95 %",
    "time",
    "briefs sampled",
    "accepted %",
    "accepted % 95 %",
    "dollars per accepted dialogue",
    "cheapest",
)
"""What a table of several models shows; `--json` has everything."""


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a plan as people read it: unknown dollars in words, a length of time."""
    shown = dict(row)
    if "dollars" in row and row["dollars"] is None:
        shown["dollars"] = f"{row['dollars 95 %']}"
    if "hours" in shown:
        shown["time"] = duration(shown.pop("hours"))
    return shown


def duration(hours: float) -> str:
    """Return hours in the two largest units that they fill."""
    seconds = round(hours * 3600)
    for size, unit, smaller, small in _UNITS:
        if seconds >= size:
            rest = seconds % size // smaller
            return (
                f"{seconds // size} {unit} {rest} {small}" if rest else f"{seconds // size} {unit}"
            )
    return f"{hours * 3600:.2g} s"


_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
