"""The report of a domain as a Prefect flow: the page is written anew and linked from the run."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows.artifacts import link_pages
from flows.leash import follow_server
from flows.logs import keep_logs_plain
from flows.pages import address_of
from flows.run_names import name_run
from tasks.reports import report_from_warehouse
from tasks.settings import Home


@flow(name="report", retries=0)
async def report(domain: str, data: str | None = None) -> str:
    """Write a domain's report and link it from the run.

    Args:
        domain: name of a domain file, without .yaml.
        data: data folder in place of the project's own.

    Returns:
        The address under which the page opens, or its file where it is not served.

    Raises:
        UserError: a mistake the user can put right, as one line.
    """
    keep_logs_plain()
    follow_server()
    await name_run("report", domain)
    home = Home.find(Path(data) if data else None)
    address = address_of(home, report_from_warehouse(home, domain))
    await link_pages(domain, {"report": address})
    return address
