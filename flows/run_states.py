"""The state a run ends in: its name says how it ended.

Prefect colours a run by its state's type, and names the event of a state by its name. So a run that
ended early on purpose (budget, a person's stop) is of type Cancelled, neither green nor red, a
mistake is of type Failed, and an automation tells each from the others by `prefect.flow-run.NAME`.
"""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from flows.build_result import BuildResult
from flows.server.endpoints import started_by_server
from tasks.errors import UserError

COMPLETED = "Completed"
BUDGET = "Budget reached"  # what was paid for is released, if anything; a larger budget goes on
STOPPED = "Stopped"  # by a person, at the command line; the same command goes on
PENDING = (
    "Batch pending"  # a clean end: the provider still works on a batch, the same run goes on later
)
ALERT = "Alert"  # completed and released, beyond a threshold of the domain's settings
FINE = frozenset({COMPLETED, ALERT, BUDGET, PENDING})
UNUSABLE = "Unusable answers"  # the model's answers say nothing; a setting has to change
PROVIDER_DOWN = "Provider down"  # what was answered until then is released
WORKER_LOST = "Worker lost"
REFUSED = "Refused"  # a mistake somebody can put right
GIVEN_UP = "Given up"  # set by the server, see flows/server/crash_recovery.py

_SIGNALLED = (  # from prefect.states.exception_to_crashed_state
    "cancelled by the runtime environment",
    "aborted by an interrupt signal",
    "aborted by a termination signal",
)
_BY_REASON = {
    "completed": (COMPLETED, Completed),
    "budget": (BUDGET, Cancelled),
    "batch": (PENDING, Completed),
    "breaker": (PROVIDER_DOWN, Failed),
    "answers": (UNUSABLE, Failed),
    "worker": (WORKER_LOST, Failed),
}


def outcome(result: BuildResult) -> State[BuildResult]:
    """Return the state of a build that came to its end, early or not."""
    name, make = _BY_REASON[result.state]
    if result.alerts and name == COMPLETED:
        return Completed(name=ALERT, data=result, message="; ".join(result.alerts))
    accepted = next((row["briefs"] for row in result.funnel if row["verdict"] == "accepted"), 0)
    return make(
        name=name,
        data=result,
        message=result.message or f"{accepted:,} dialogues in release {result.version}",
    )


class EndedEarly(UserError):
    """A run that had to stop before there was anything to release.

    `reason` is that of `RunStopped`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def ended_early(error: EndedEarly) -> State[Any]:
    """Return the state of a run that stopped before there was anything to release."""
    name, make = _BY_REASON[error.reason]
    return make(name=name, data=error, message=str(error))


def stopped_by_person(state: State[Any]) -> State[Any] | None:
    """Return the state of a command that Ctrl-C or SIGTERM ended, or None for a run that crashed otherwise.

    Prefect calls both crashed. A run that a worker started is left to the worker, which knows
    whether it was cancelled.
    """
    if started_by_server() or not any(text in (state.message or "") for text in _SIGNALLED):
        return None
    return Cancelled(name=STOPPED, message="stopped by a person; the same command goes on")


def refused(error: UserError) -> State[Any]:
    """Return the state of a run that a user's mistake ended: one line, no traceback."""
    return Failed(name=REFUSED, data=error, message=str(error))


async def result_of(state: State[Any]) -> Any:
    """Return what a flow left in its state, also when it ended early.

    Raises what it raised, such as UserError.
    """
    left = await state.aresult(raise_on_failure=False)
    if isinstance(left, BaseException):
        raise left
    return left
