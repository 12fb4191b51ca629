"""What every flow of this project has in common: its log, how it ends, and who is notified."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Flow, flow
from prefect.client.schemas.objects import State

from flows.logs import keep_logs_plain
from flows.run_states import ended_by_mistake
from flows.server.instance_lock import exit_when_server_stops
from flows.server.webhooks import notify, notify_crash, notify_if_cancelled
from tasks.errors import UserError

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def project_flow(
    name: str,
) -> Callable[
    [Callable[Given, Coroutine[Any, Any, Returned]]],
    Flow[Given, Coroutine[Any, Any, Returned]],
]:
    """Return a decorator that makes an async function a flow of this project.

    A UserError ends the run in the state that says what it was (`run_states`), without a
    traceback. The function may return a state itself. The run ends with the `redial serve` that
    started it, and a run that did not simply finish is reported to REDIAL_NOTIFY_URL.
    """
    hooks: dict[str, Any] = {
        "on_completion": [notify],
        "on_failure": [notify],
        "on_crashed": [notify_crash],
    }

    def decorate(
        function: Callable[Given, Coroutine[Any, Any, Returned]],
    ) -> Flow[Given, Coroutine[Any, Any, Returned]]:
        @wraps(function)
        async def run(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
            keep_logs_plain()
            exit_when_server_stops()
            try:
                returned: Any = await function(*args, **kwargs)
            except UserError as error:
                returned = ended_by_mistake(error)
            if isinstance(returned, State):
                await notify_if_cancelled(returned)
            return cast("Returned", returned)

        # Prefect would look up the names in annotations in this module.
        evaluated: Any = run
        evaluated.__signature__ = inspect.signature(function, eval_str=True)
        evaluated.__annotations__ = inspect.get_annotations(function, eval_str=True)
        return flow(name=name, retries=0, **hooks)(run)

    return decorate
