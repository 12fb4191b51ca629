"""The state a run ends in: its name tells a finished run from one that spent its budget, lost its provider or was refused."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.results import BuildResult
from tasks.errors import UserError

COMPLETED = "Completed"
BUDGET = "Budget reached"  # a clean end: what was paid for is released, a larger budget goes on
PENDING = "Batch pending"  # a clean end: the provider still works on a batch, the same run goes on later
FINE = frozenset({COMPLETED, BUDGET, PENDING})
PROVIDER_DOWN = "Provider down"  # what was answered until then is released
WORKER_LOST = "Worker lost"
REFUSED = "Refused"  # a mistake somebody can put right
GIVEN_UP = "Given up"  # set by the server, see flows/server/crash_recovery.py

_BY_REASON = {
    "completed": (COMPLETED, Completed),
    "budget": (BUDGET, Completed),
    "batch": (PENDING, Completed),
    "breaker": (PROVIDER_DOWN, Failed),
    "worker": (WORKER_LOST, Failed),
}


def outcome(result: BuildResult) -> State[BuildResult]:
    """Return the state of a build that came to its end, early or not."""
    name, make = _BY_REASON[result.state]
    accepted = next((row["briefs"] for row in result.funnel if row["verdict"] == "accepted"), 0)
    return make(name=name, data=result, message=result.message or f"{accepted:,} dialogues in release {result.version}")


class EndedEarly(UserError):
    """A run that had to stop before there was anything to release. `reason` is that of `RunStopped`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def ended_early(error: EndedEarly) -> State[Any]:
    """Return the state of a run that stopped before there was anything to release."""
    name, make = _BY_REASON[error.reason]
    return make(name=name, data=error, message=str(error))


def refused(error: UserError) -> State[Any]:
    """Return the state of a run that a user's mistake ended: one line, no traceback."""
    return Failed(name=REFUSED, data=error, message=str(error))


async def result_of(state: State[Any]) -> Any:
    """Return what a flow left in its state, also when it ended early. Raises what it raised, such as UserError."""
    left = await state.aresult(raise_on_failure=False)
    if isinstance(left, BaseException):
        raise left
    return left
