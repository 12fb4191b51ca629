"""The pages of a domain as a Prefect flow: they are written again and linked from the run."""

from __future__ import annotations

from pathlib import Path

from flows.artifacts import link_pages
from flows.project_flow import project_flow
from flows.run_names import name_run
from flows.server.static_pages import address_of
from tasks.history import history_from_warehouse
from tasks.reports import pages_from_warehouse
from tasks.settings import Home


@project_flow("report")
async def report(domain: str, data: str | None = None) -> str:
    """Write a domain's report and Data Docs and link them from the run.

    Args:
        domain: name of a domain file, without .yaml.
        data: data folder in place of the project's own.

    Returns:
        The address under which the report opens, or its file where it is not served.

    Raises:
        UserError: a mistake that the user can correct, as one line.
    """
    await name_run("report", domain)
    home = Home.find(Path(data) if data else None)
    pages = {
        **pages_from_warehouse(home, domain).run,
        "history": history_from_warehouse(home, domain),
    }
    addresses = {name: address_of(home, page) for name, page in pages.items()}
    await link_pages(domain, addresses)
    return addresses["report"]
