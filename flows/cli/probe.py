"""`redial probe`: what a model and its server can do."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.app import JsonOption, app
from flows.cli.completion import complete_domain
from flows.cli.console import OUT, print_json
from flows.cli.parameters import SettingOption, options_of, with_settings
from flows.cli.views import show_facts
from flows.options import BuildOptions
from flows.parameters import fields_of
from tasks.errors import UserError
from tasks.settings import Generate, Home, load_domain


@app.command(
    epilog="Example: redial probe --model hosted_vllm/meta-llama/Llama-3.1-8B-Instruct "
    "--api-base http://127.0.0.1:8000/v1"
)
@options_of(options=fields_of(BuildOptions, "model", "api_base"))
def probe(
    ctx: typer.Context,
    domain: Annotated[
        str,
        typer.Option(
            "--domain",
            help="Domain whose settings of `generate` it is asked with",
            autocompletion=complete_domain,
        ),
    ] = "demo",
    *,
    options: BuildOptions,
    setting: SettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find out with at most three answers what a model on its server can do.

    That is which schema it obeys, its context window, token counts, reasoning and cached tokens; of
    a cascade each model is asked. Builds of every domain go by it; ask again after the server has
    changed.
    """
    home: Home = ctx.obj
    generate = load_domain(home, domain, with_settings(options, setting).over()).generate
    from flows.probing import distinct_models
    from tasks.llm import OFFLINE

    asked = [one for one in distinct_models(generate) if not one.model.startswith(OFFLINE)]
    if not asked:
        raise UserError("the mock model has nothing to find out: name another with --model")
    found = []
    for settings in asked:
        found.append(_probe(home, settings))
        if not as_json:
            _show(found[-1])
    if as_json:
        print_json(found if generate.models else found[0])


def _probe(home: Home, generate: Generate) -> dict[str, Any]:
    """Ask one model, keep what was found and return it."""
    from flows.probing import ask_model
    from tasks.llm import CallFailed, RunStopped, keep_facts

    with tempfile.TemporaryDirectory(prefix="redial-probe-") as folder:
        try:
            probed = asyncio.run(ask_model(generate, Path(folder) / "probe.jsonl", "probe"))
        except (CallFailed, RunStopped) as failure:
            raise UserError(f"{generate.model} does not answer: {failure}") from None
    keep_facts(home.known_models(), generate, probed.facts)
    return {"model": generate.model, "api_base": generate.api_base, **probed.as_json()}


def _show(found: dict[str, Any]) -> None:
    elsewhere = ("model", "api_base", "problems")
    shown = {
        name.replace("_", " "): value for name, value in found.items() if name not in elsewhere
    }
    show_facts(OUT, shown, found["model"])
    for problem in found["problems"]:
        OUT.print(f"  {problem}", markup=False)
