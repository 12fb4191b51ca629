"""`redial probe`: what a model and its server can do."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.app import JsonOption, app
from flows.cli.completion import complete_domain
from flows.cli.console import OUT, print_json
from flows.cli.parameters import SettingOption, options_of, with_settings
from flows.cli.views import show_facts
from flows.options import BuildOptions
from flows.parameters import fields_of
from tasks.errors import UserError
from tasks.settings import Home, load_domain


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

    That is which schema it obeys, its context window, token counts, reasoning and cached tokens.
    Builds of every domain go by it; ask again after the server has changed.
    """
    home: Home = ctx.obj
    generate = load_domain(home, domain, with_settings(options, setting).over()).generate
    from flows.probing import ask_model
    from tasks.llm import OFFLINE, CallFailed, RunStopped, keep_facts

    if generate.model.startswith(OFFLINE):
        raise UserError("the mock model has nothing to find out: name another with --model")
    with tempfile.TemporaryDirectory(prefix="redial-probe-") as folder:
        try:
            probed = asyncio.run(ask_model(generate, Path(folder) / "probe.jsonl", "probe"))
        except (CallFailed, RunStopped) as failure:
            raise UserError(f"{generate.model} does not answer: {failure}") from None
    keep_facts(home.known_models(), generate, probed.facts)
    if as_json:
        print_json({"model": generate.model, "api_base": generate.api_base, **probed.as_json()})
        return
    found = probed.as_json()
    shown = {name.replace("_", " "): value for name, value in found.items() if name != "problems"}
    show_facts(OUT, shown, generate.model)
    for problem in probed.facts.problems:
        OUT.print(f"  {problem}", markup=False)
