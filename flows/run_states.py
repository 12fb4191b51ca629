"""The state a run ends in: its name says how it ended.

Prefect's UI takes a run's colour from its state's type alone and shows the state's name beside it.
The event of a state, which automations wait for, carries the name: `prefect.flow-run.NAME`. Only
four types end a run, each with a colour of its own:

- Completed, green: all that was asked for is there.
- Cancelled, grey: ended early on purpose, by the budget or by a person; the same command goes on.
- Failed, red: a mistake, a provider that is down.
- Crashed, orange: the process was lost. The server starts such a run again (`crash_recovery`), so
  no state that is set on purpose is of this type.

`Budget reached` and `Stopped` therefore share the colour grey, and differ in their name and event.
The types of the other colours, such as Paused, do not end a run: whatever waits for it would go on
waiting, and its deployment's concurrency slot would stay taken.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.results import ResultRecord  # type: ignore[attr-defined]
from prefect.states import Cancelled, Completed, Failed

from flows.server.endpoints import started_by_server
from tasks.errors import UserError
from tasks.funnel import causes_text

if TYPE_CHECKING:
    from flows.build_result import BuildResult

COMPLETED = "Completed"
BUDGET = "Budget reached"  # what was paid for is released, if anything; a larger budget goes on
STOPPED = "Stopped"  # by a person, at the command line; the same command goes on
PENDING = (
    "Batch pending"  # a clean end: the provider still works on a batch, the same run goes on later
)
ALERT = "Alert"  # completed and released, beyond a threshold of the domain's settings
FINE = frozenset({COMPLETED, ALERT, BUDGET, PENDING})
UNUSABLE = "Unusable answers"  # they cannot be read, or break one rule; a setting has to change
PROVIDER_DOWN = "Provider down"  # what was answered until then is released
WORKER_LOST = "Worker lost"
REFUSED = "Refused"  # a mistake that a person can correct
GIVEN_UP = "Given up"  # set by the server, see flows/server/crash_recovery.py

# What Ctrl-C and SIGTERM raise in a flow: in the main thread, and in what asyncio was waiting for.
_SIGNALLED = (KeyboardInterrupt, TerminationSignal, asyncio.CancelledError)
_BY_REASON = {
    "completed": (COMPLETED, Completed),
    "budget": (BUDGET, Cancelled),
    "batch": (PENDING, Completed),
    "breaker": (PROVIDER_DOWN, Failed),
    "answers": (UNUSABLE, Failed),
    "worker": (WORKER_LOST, Failed),
    "signal": (STOPPED, Cancelled),
}


def outcome(result: BuildResult) -> State[BuildResult]:
    """Return the state of a build that came to its end, early or not."""
    name, make = _BY_REASON[result.state]
    if result.alerts and name == COMPLETED:
        return Completed(name=ALERT, data=result, message="; ".join(result.alerts))
    accepted = next((row["briefs"] for row in result.funnel if row["verdict"] == "accepted"), 0)
    message = result.message or f"{accepted:,} dialogues in release {result.version}"
    why = causes_text(result.causes, result.domain)
    return make(name=name, data=result, message="; ".join(filter(None, (message, why))))


class EndedEarly(UserError):
    """A run that had to stop before there was anything to release.

    `reason` is that of `RunStopped`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def ended_by_mistake(error: UserError) -> State[Any]:
    """Return the state of a run that a UserError ended: one line, no traceback.

    A run that stopped before there was anything to release gets the state of what stopped it, any
    other is refused.
    """
    name, make = (REFUSED, Failed)
    if isinstance(error, EndedEarly):
        name, make = _BY_REASON[error.reason]
    return make(name=name, data=error, message=str(error))


def stopped_by_person(state: State[Any]) -> State[Any] | None:
    """Return the state of a command that Ctrl-C or SIGTERM ended, None for any other crash.

    Prefect calls both crashed, and leaves in the state what was raised. A run that a worker started
    is left to the worker, which knows whether it was cancelled.
    """
    if started_by_server() or not isinstance(left_in(state), _SIGNALLED):
        return None
    return Cancelled(name=STOPPED, message="stopped by a person; the same command goes on")


def left_in(state: State[Any]) -> object:
    """Return what a run left in its state, as its own process finds it there."""
    return state.data.result if isinstance(state.data, ResultRecord) else state.data


async def result_of(state: State[Any]) -> Any:
    """Return what a flow left in its state, also when it ended early.

    Raises what it raised, such as UserError.
    """
    left = await state.aresult(raise_on_failure=False)
    if isinstance(left, BaseException):
        raise left
    return left
