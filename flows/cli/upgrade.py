"""`redial upgrade`: the warehouse of an earlier version."""

from __future__ import annotations

import typer

from flows.cli.app import DomainArgument, JsonOption, app
from flows.cli.console import OUT, print_json
from flows.cli.views import show_facts
from tasks.settings import Home


@app.command(epilog="Example: redial upgrade demo")
def upgrade(ctx: typer.Context, domain: DomainArgument, as_json: JsonOption = False) -> None:
    """Bring a domain's warehouse of an earlier version up to date; paid answers stay.

    The file as it was is kept beside it. Answers that wait in journals are loaded.
    """
    from tasks.llm import recover_journals
    from tasks.warehouse import domain_lock, open_warehouse, upgrade_warehouse

    home: Home = ctx.obj
    with domain_lock(home, domain):
        done = upgrade_warehouse(home.warehouse(domain))
        with open_warehouse(home.warehouse(domain)) as con:
            recover_journals(con, home.journals(domain))
    if as_json:
        backup = str(done.backup) if done.backup else None
        print_json({"before": done.before, "rows": dict(done.rows), "backup": backup})
    elif done.backup is None:
        OUT.print("it is up to date", markup=False)
    else:
        show_facts(OUT, done.rows, "taken over")
        OUT.print(f"as it was: {done.backup}", markup=False)
        OUT.print(f"`redial build {domain}` makes the rest again, from these answers", markup=False)
