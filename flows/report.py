"""The report of a domain as a Prefect flow: the page is written anew and linked from the run."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.artifacts import acreate_link_artifact

from flows.artifacts import key
from flows.logs import keep_logs_plain
from flows.pages import address_of
from flows.server.instance_lock import exit_when_server_stops
from tasks.reports import report_from_warehouse
from tasks.settings import Home


@flow(name="report", flow_run_name="report-{domain}", retries=0)
async def report(domain: str, data: str | None = None) -> str:
    """Write a domain's report and link it from the run.

    Args:
        domain: name of a domain file, without .yaml.
        data: data folder in place of the project's own.

    Returns:
        The address under which the page opens.

    Raises:
        UserError: a mistake the user can put right, as one line.
    """
    keep_logs_plain()
    exit_when_server_stops()
    home = Home.find(Path(data) if data else None)
    address = address_of(home, report_from_warehouse(home, domain))
    await acreate_link_artifact(address, link_text=f"report of {domain}", key=key(domain, "report"), description=f"report of {domain}")
    return address
