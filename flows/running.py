"""Runs a flow from the command line: on the Prefect server that is configured, else on a private one made for this command."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module
from typing import Any, TypeVar

from flows.local_server import QUIET, local_server
from flows.progress import CURRENT, Progress
from tasks.errors import UserError
from tasks.redaction import redact
from tasks.settings import Home

Result = TypeVar("Result")
DRAIN_S = 20
ALONE = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # before it is imported, or it asks the network for prices
}


def run_flow(
    home: Home,
    place: str,
    progress: Progress,
    start: Callable[[], Coroutine[Any, Any, Result]],
    warm: Sequence[str] = ("great_expectations", "flows.build"),
) -> Result:
    """Run a flow to its end and return what it returns.

    Args:
        home: whose data folder keeps the private server's database.
        place: sub-folder of that database, one per domain, so that two domains never share one.
        progress: where the run shows how far it is.
        start: imports the flow and calls it; called once a server is there.
        warm: modules that take seconds to import, imported while the server starts.

    Raises:
        UserError: as the flow raises it, a choice is out of bounds, or the Prefect server that is configured cannot be used.
    """
    for name, value in {**QUIET, **ALONE}.items():
        os.environ.setdefault(name, value)
    configured = _configured_server()
    from prefect.settings import temporary_settings

    CURRENT.set(progress)
    if configured:
        from flows.server.connection import check_server

        check_server()
        return asyncio.run(_to_the_end(start))
    progress.stage("server", "running")
    with (
        local_server(home.data / "prefect" / place, lambda: _import_all(warm)) as server,
        temporary_settings(updates={"api.url": server.api, "api.auth_string": server.login}),
    ):
        progress.stage("server", "done", "private, for this run")
        return asyncio.run(_to_the_end(start))


def _configured_server() -> str:
    """Return the address of the Prefect server that is configured, empty if none is. Raises UserError if the settings are broken."""
    try:
        from prefect.settings import get_current_settings

        return get_current_settings().api.url or ""
    except ValueError as error:  # Prefect reads its settings when it is imported
        lines = [line.strip() for line in str(error).splitlines() if line.startswith("  ")]
        told = redact(lines[0] if lines else str(error)).partition(" [type=")[0]
        raise UserError(f"Prefect's settings cannot be used, see its variables PREFECT_... and its profiles: {told}") from None


def _import_all(modules: Sequence[str]) -> None:
    for module in modules:
        import_module(module)


async def _to_the_end(start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run the flow and wait until its task runs are written down; Prefect loses the last ones otherwise.

    A choice that the flow's form does not take is a user's mistake. So is, where a request failed, a server that is gone.
    """
    import httpx
    from prefect.events.worker import EventsWorker
    from prefect.exceptions import ParameterTypeError

    try:
        return await start()
    except ParameterTypeError as error:
        told = " ".join(line.strip().removeprefix("- ") for line in str(error).splitlines()[1:] if line.strip())
        raise UserError(f"an option is out of bounds: {told or error}") from None
    except (httpx.HTTPError, RuntimeError):  # Prefect's client raises either
        from flows.server.connection import check_server

        check_server()
        raise
    finally:
        drained = EventsWorker.drain_all(timeout=DRAIN_S)
        if asyncio.iscoroutine(drained):
            await drained
