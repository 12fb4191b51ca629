"""Builds many domains, each as a run of its own. One failing domain stops no other; what is there already is not done again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import Field

from flows.build import build
from flows.logs import keep_logs_plain
from flows.options import BuildOptions

POLL_S = 2.0
MOST_TRIES = 3  # a run whose process was lost is given to another worker so often
Names = Annotated[list[str], Field(min_length=1, description="Domain names")]
AtOnce = Annotated[int, Field(ge=1, le=32, description="Most domains at a time")]
Row = dict[str, Any]


@flow(name="backfill", flow_run_name="backfill-{domains}")
async def backfill(
    domains: Names,
    options: BuildOptions = BuildOptions(),  # noqa: B008 - frozen
    at_once: AtOnce = 2,
    where: Literal["workers", "here"] = "workers",
    data: str | None = None,
) -> State[list[Row]]:
    """Build every domain of a list.

    Args:
        domains: names of domain files.
        options: choices laid over every domain file.
        at_once: most domains at a time.
        where: `workers` hands each domain to its deployment, so that all workers of the pool share them; `here` runs them in
            this process.
        data: data folder in place of the project's own; only with `here`.

    Returns:
        One row per domain: how its run ended and what came out.
    """
    keep_logs_plain()
    gate = asyncio.Semaphore(at_once)

    async def one(domain: str) -> Row:
        async with gate:
            return await (_on_a_worker(domain, options) if where == "workers" else _in_this_process(domain, options, data))

    rows = list(await asyncio.gather(*(one(domain) for domain in dict.fromkeys(domains))))
    await acreate_table_artifact(table=rows, key="backfill", description="What each domain of this backfill came to")
    failed = [row["domain"] for row in rows if row["state"] not in {"Completed", "Budget reached"}]
    if failed:
        return Failed(data=rows, message=f"{len(failed)} of {len(rows)} domains did not finish: {', '.join(failed)}")
    return Completed(data=rows, message=f"{len(rows)} domains finished")


async def _in_this_process(domain: str, options: BuildOptions, data: str | None) -> Row:
    state = await build(domain, options, data, return_state=True)
    return {"domain": domain, "state": state.name, "message": state.message or "", "run": ""}


async def _on_a_worker(domain: str, options: BuildOptions) -> Row:
    """Start the domain's deployment and wait; a run whose process was lost is started again on whichever worker is there."""
    parameters = {"domain": domain, "options": options.model_dump(mode="json")}
    for attempt in range(1, MOST_TRIES + 1):
        key = f"{flow_run.get_id()}-{domain}-{attempt}"
        try:
            child = await arun_deployment(f"build/{domain}", parameters=parameters, timeout=0, idempotency_key=key, as_subflow=True)
        except ObjectNotFound:
            return {"domain": domain, "state": "Failed", "message": f"there is no deployment build/{domain} on this server", "run": ""}
        state = await _final_state(child.id)
        if not state.is_crashed():
            break
        get_run_logger().warning("the run of %s was lost with its process (try %d of %d)", domain, attempt, MOST_TRIES)
    return {"domain": domain, "state": state.name, "message": state.message or "", "run": str(child.id)}


async def _final_state(run_id: Any) -> State[Any]:
    async with get_client() as client:
        while True:
            state = (await client.read_flow_run(run_id)).state
            if state is not None and state.is_final():
                return state
            await asyncio.sleep(POLL_S)
