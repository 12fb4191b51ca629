"""A request that waits for its batch, and how its waiting ends without an answer."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import UserError
from tasks.llm.batch.transfer import Member
from tasks.llm.billing import Expected
from tasks.llm.errors import CallError, CallFailed
from tasks.llm.refused_parameters import ParameterRefused, refused_parameter
from tasks.llm.values import Request


@dataclass(frozen=True)
class WaitingRequest:
    """A request that waits to be sent, and what it will probably cost."""

    request: Request
    member: Member
    expected: Expected
    dollars: float


class AskAgain(Exception):
    """A request's batch brought no answer to it, or was never made."""

    def __init__(self, tries: int) -> None:
        super().__init__(tries)
        self.tries = tries


class NotTaken(Exception):
    """A request is not asked again: its last try failed, or it cannot be sent as it is."""

    def __init__(self, error: CallError, tries: int) -> None:
        super().__init__(error, tries)
        self.error = error
        self.tries = tries


def reason_of(
    failed: NotTaken, request: Request, model: str
) -> ParameterRefused | UserError | CallFailed:
    """Return what a request ends with that is not asked again as it is.

    A parameter that the provider refuses, a mistake that concerns every request, or a failure of
    this one alone.
    """
    error = failed.error
    parameter = refused_parameter(error, request)
    if parameter:
        return ParameterRefused(parameter, error.message)
    if error.kind == "fatal":
        return UserError(f"the provider refuses {model!r}: {error.message}")
    return CallFailed(str(error), error.kind, failed.tries)
