"""Reports how a run ended: one POST of JSON to the address in REDIAL_NOTIFY_URL.

Runs that completed are reported only with REDIAL_NOTIFY_COMPLETED=1. The names of the states
(flows/run_states.py) say what happened. Chat services take such a message through their webhooks;
where more is wanted, an automation of the Prefect server can do it without this hook
(docs/how-to/team-server.md).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger
from prefect.utilities.urls import url_for

from flows.notices import ADDRESS, is_reported, notification, post
from flows.run_states import COMPLETED, left_in, stopped_by_person

SERVER = "PREFECT_API_URL"


async def notify(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Send the run's name, state and page, unless nobody wants to know.

    A message that does not arrive fails no run.
    """
    if not is_reported(completed=state.name == COMPLETED):
        return
    body = notification(
        flow.name, flow_run.name, str(state.name), state.message or "", page_of(flow_run, state)
    )
    problem = await post(body)
    if problem:
        flow_run_logger(flow_run, flow).warning(
            "no notification about this run could be sent to %s: %s", ADDRESS, problem
        )


def page_of(flow_run: FlowRun, state: State[Any]) -> str:
    """Return a page about a run that can still be opened when the message is read.

    A private server ends with its command, so its pages are gone then: the report's file is named.
    """
    if os.environ.get(SERVER):
        return url_for(flow_run) or ""
    pages = getattr(left_in(state), "run_pages", None) or {}
    report = pages.get("report")
    return Path(report).absolute().as_uri() if report else ""


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
