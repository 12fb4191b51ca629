"""`redial calibrate`: how well rules and judges see defects, and what is left in a release."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, Bars, print_json
from flows.cli.views import show_rows
from tasks.settings import Home


@app.command(epilog="Example: redial calibrate demo --judge openai/gpt-4o-mini")
def calibrate(
    ctx: typer.Context,
    domain: DomainArgument,
    judge: Annotated[
        list[str] | None,
        typer.Option(help="Models that judge; the domain's own judges if not given"),
    ] = None,
    dialogues: Annotated[
        int, typer.Option(help="Accepted dialogues each judge reads as they are", min=0)
    ] = 60,
    of_kind: Annotated[
        int, typer.Option(help="Dialogues with a planted defect it reads, of each kind", min=1)
    ] = 10,
    study: Annotated[
        Path | None,
        typer.Option(help="Study in which people have looked for defects (annotate new --defects)"),
    ] = None,
    budget_usd: Annotated[
        float | None, typer.Option(help="What all judges together may cost, in dollars", min=0)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plant defects in accepted dialogues and measure what rules and judges see of them.

    What a judge finds in the release, set right by that, says what is left in it. The figures are
    kept in the warehouse; the next build's card has them.
    """
    from flows.server.ephemeral import run_flow
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)):
        pass  # what is wrong with it is said before anything is started
    choices: dict[str, Any] = {
        "judges": judge,
        "dialogues": dialogues,
        "of_kind": of_kind,
        "study": str(study.resolve()) if study else None,
        "budget_usd": budget_usd,
        "data": str(home.data),
    }

    async def start() -> Any:
        from flows.calibrate import calibrate as calibrate_flow

        return await calibrate_flow(domain, **choices, return_state=True)

    with Bars() as bars:
        result = run_flow(home, domain, bars, start, warm=("flows.calibrate",))
    if as_json:
        print_json(asdict(result))
        return
    show_rows(OUT, result.rows, f"what rules and judges see in {domain}")
    if result.agreement:
        show_rows(OUT, result.agreement, "how far judges agree")
    for line in result.left:
        OUT.print(line, markup=False)
    if result.not_calibrated:
        OUT.print(f"not calibrated: {', '.join(result.not_calibrated)}", markup=False)
