"""What is posted to REDIAL_NOTIFY_URL, without Prefect: builds refused before a flow starts too."""

from __future__ import annotations

import asyncio
import os

from flows.progress import CURRENT, Progress

ADDRESS = "REDIAL_NOTIFY_URL"
COMPLETED_TOO = "REDIAL_NOTIFY_COMPLETED"
TIMEOUT_S = 10


def is_reported(*, completed: bool) -> bool:
    """Return True if somebody wants to know of a run that completed, or of one that did not."""
    if not os.environ.get(ADDRESS):
        return False
    return not completed or os.environ.get(COMPLETED_TOO, "") in ("1", "true")


async def post(body: dict[str, str]) -> str:
    """Send a message; return why it did not arrive, empty if it did.

    The run's progress says so too, where a person at a terminal sees it.
    """
    import httpx

    problem = ""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            (await client.post(os.environ[ADDRESS], json=body)).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = type(error).__name__
        CURRENT.get().stage("notification", "failed", f"not sent to {ADDRESS}: {problem}")
    return problem


def notify_refused(flow: str, domain: str, message: str, progress: Progress) -> None:
    """Report a run that was refused before its flow started; without an address nothing is sent."""
    if is_reported(completed=False):
        CURRENT.set(progress)
        asyncio.run(post(notification(flow, f"{flow} {domain}", "Refused", message, "")))


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
