"""Builds many domains, each as a run of its own.

One failing domain stops no other; what is there already is not done again.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.utilities.urls import url_for
from pydantic import Field, WithJsonSchema

from flows.backfill_domains import NOT_FETCHED, choose_domains, growing, is_fine
from flows.build import build
from flows.options import BuildOptions
from flows.project_flow import project_flow
from flows.run_names import listed, name_run
from flows.run_states import FINE
from flows.server.crash_recovery import DELAYS_S
from tasks.settings import Home

POLL_S = 2.0
# For the server to start a lost run again, before a new one is started in its place.
PATIENCE_S = 2 * max(DELAYS_S)
MOST_LOST = 3  # runs of one domain whose process was lost, until it is given up
All = Annotated[
    Literal["all"],
    # Of a const the form sends nothing.
    WithJsonSchema({"type": "string", "enum": ["all"], "title": "all there are when it runs"}),
]
Names = Annotated[
    Annotated[list[str], Field(min_length=1, title="these")] | All,
    Field(
        description="Domain names, or all: every domain whose source files are there",
        examples=[["demo", "books"]],
    ),
]
AtOnce = Annotated[int, Field(ge=1, le=32, description="Most domains at a time")]
Where = Annotated[
    Literal["workers", "here"],
    Field(
        description="workers: each domain is a run of its deployment; "
        "here: in this run's own process"
    ),
]
Row = dict[str, Any]


@project_flow("backfill")
async def backfill(
    domains: Names,
    options: BuildOptions = BuildOptions(),  # noqa: B008 - frozen
    at_once: AtOnce = 2,
    where: Where = "workers",
    data: str = "",
) -> State[list[Row]]:
    """Build every domain of a list.

    Domains grow: what they released stays, and new reviews only add to it, unless the options or
    the domain file set `briefs.grow` to false.

    Args:
        domains: names of domain files, or `all` for every domain there is when the run begins and
            has its source files.
        options: choices laid over every domain file.
        at_once: most domains at a time.
        where: `workers` hands each domain to its deployment, so that all workers of the pool share
            them; `here` runs them in
            this process.
        data: data folder in place of the project's own; only with `here`.

    Returns:
        One row per domain: how its run ended and what came out.
    """
    gate, began = asyncio.Semaphore(at_once), datetime.now(UTC)

    home = Home.find(Path(data) if data else None)

    async def one(domain: str) -> Row:
        async with gate:
            own = growing(home, domain, options)
            return await (
                _on_a_worker(domain, own, began)
                if where == "workers"
                else _in_this_process(domain, own, data)
            )

    chosen = choose_domains(home, domains)
    await name_run("backfill", listed(chosen.build))
    rows = list(await asyncio.gather(*map(one, chosen.build)))
    rows += [_row(domain, NOT_FETCHED, reason) for domain, reason in chosen.not_fetched.items()]
    await acreate_table_artifact(
        table=rows, key="backfill", description="What each domain of this backfill came to"
    )
    return _end(rows, len(chosen.build))


def _end(rows: list[Row], built: int) -> State[list[Row]]:
    """Return the state of a backfill: failed if one of the domains it built did."""
    failed = [row["domain"] for row in rows if not is_fine(row["state"])]
    if failed:
        return Failed(
            data=rows,
            message=f"{len(failed):,} of {built:,} domains did not finish: {', '.join(failed)}",
        )
    left = f", {len(rows) - built:,} are not fetched" if len(rows) > built else ""
    return Completed(data=rows, message=f"{built:,} domains finished{left}")


async def _in_this_process(domain: str, options: BuildOptions, data: str) -> Row:
    return _ended(domain, await build(domain, options, data, return_state=True))


async def _on_a_worker(domain: str, options: BuildOptions, began: datetime) -> Row:
    """Start the domain's deployment and wait for its end.

    When its process is lost and nobody takes it up, it is started again.

    The keys number this backfill's runs of the domain, so that a backfill that is itself taken up
    by another worker finds the runs it had started.
    """
    lost = 0
    for number in count(1):
        try:
            child = await _start(domain, options, f"{flow_run.get_id()}-{domain}-{number}")
        except ObjectNotFound:
            return _ended(
                domain, Failed(message=f"there is no deployment build/{domain} on this server")
            )
        if _ended_before(child, began):
            continue
        child, state = await _ended_run(child.id)
        lost += state.is_crashed()
        if not state.is_crashed() or lost == MOST_LOST:
            break
        get_run_logger().warning(
            "the run of %s was lost with its process (%d of at most %d)", domain, lost, MOST_LOST
        )
    address = url_for(child)
    return _ended(domain, state, f"[{child.name}]({address})" if address else child.name)


async def _start(domain: str, options: BuildOptions, key: str) -> FlowRun:
    """Start a domain's deployment, or find the run that was started under this key."""
    parameters = {"domain": domain, "options": options.model_dump(mode="json")}
    started: FlowRun = await arun_deployment(
        f"build/{domain}", parameters=parameters, timeout=0, idempotency_key=key, as_subflow=True
    )
    return started


def _ended_before(child: FlowRun, began: datetime) -> bool:
    """Return True if a run failed before this backfill was started, or started again.

    Then the domain gets a new one.
    """
    state = child.state
    return (
        state is not None
        and has_ended(state)
        and state.name not in FINE
        and state.timestamp < began
    )


async def _ended_run(run_id: UUID) -> tuple[FlowRun, State[Any]]:
    """Wait for a run's end; return it under the name it then has, and how it ended."""
    async with get_client() as client:
        while True:
            run = await client.read_flow_run(run_id)
            if run.state is not None and has_ended(run.state):
                return run, run.state
            await asyncio.sleep(POLL_S)


def has_ended(state: State[Any]) -> bool:
    """Return True if a run has ended. A crashed one has once nobody took it up for a while."""
    return state.is_final() and (
        not state.is_crashed() or (datetime.now(UTC) - state.timestamp).total_seconds() > PATIENCE_S
    )


def _ended(domain: str, state: State[Any], run: str = "") -> Row:
    return _row(domain, state.name or "", state.message or "", run)


def _row(domain: str, state: str, message: str, run: str = "") -> Row:
    """Return a row of the table.

    The link comes before the message, which may be long.
    """
    return {"domain": domain, "state": state, "run": run, "message": message}
