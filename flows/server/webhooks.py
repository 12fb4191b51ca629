"""Reports a run that did not simply finish: one POST of JSON to the address in REDIAL_NOTIFY_URL.

The names of the states (flows/run_states.py) say what happened. Chat services take such a message
through their webhooks; where more is wanted, an automation of the Prefect server can do it without
this hook (docs/how-to/team-server.md).
"""

from __future__ import annotations

import os
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger
from prefect.utilities.urls import url_for

from flows.run_states import COMPLETED, stopped_by_person

ADDRESS = "REDIAL_NOTIFY_URL"
TIMEOUT_S = 10


async def notify(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Send the run's name, state and address, unless it finished as it should.

    A message that does not arrive fails no run.
    """
    address = os.environ.get(ADDRESS)
    if not address or state.name == COMPLETED:
        return
    body = notification(
        flow.name, flow_run.name, str(state.name), state.message or "", url_for(flow_run) or ""
    )
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            (await client.post(address, json=body)).raise_for_status()
    except httpx.HTTPError as error:
        flow_run_logger(flow_run, flow).warning(
            "no notification about this run could be sent to %s: %s", ADDRESS, type(error).__name__
        )


async def notify_crash(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Give a run that a person stopped the state that says so, and report it or the crash."""
    stopped = stopped_by_person(state)
    if stopped is not None:
        try:
            async with get_client() as client:
                await client.set_flow_run_state(flow_run.id, stopped, force=True)
        except httpx.HTTPError as error:  # the server was stopped with the command
            flow_run_logger(flow_run, flow).debug(
                "the state was not changed: %s", type(error).__name__
            )
    await notify(flow, flow_run, stopped or state)


async def notify_if_cancelled(state: State[Any]) -> None:
    """Tell about a run that ends in a state of type Cancelled, for which Prefect calls no hook."""
    context = FlowRunContext.get()
    if context is None or context.flow is None or context.flow_run is None:
        return
    if state.is_cancelled():
        await notify(context.flow, context.flow_run, state)


def notification(flow: str, run: str, state: str, message: str, page: str) -> dict[str, str]:
    """Return the JSON that is sent about a run.

    It has the one line `text` that chat webhooks show.
    """
    text = f"{run}: {state}. {message}"
    return {
        "text": text,
        "flow": flow,
        "run": run,
        "state": state,
        "message": message,
        "page": page,
    }
