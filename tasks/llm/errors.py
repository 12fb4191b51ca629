"""How asking a model can go wrong, told apart by type."""

from __future__ import annotations

from typing import Literal

Kind = Literal["rate", "overload", "timeout", "connection", "malformed", "oversized", "filtered", "invalid", "fatal"]
TRANSIENT: frozenset[Kind] = frozenset({"rate", "overload", "timeout", "connection", "malformed"})


class CallError(Exception):
    """One try at one request that brought no answer.

    `rate`, `overload`, `timeout`, `connection` and `malformed` may go well a second time; `oversized` is an answer cut off
    at the cap, which another try would pay for again; `filtered` is the provider's content filter, an outcome; `invalid` is a
    request the provider will never take; `fatal` concerns every request (key, model, credit).

    Attributes:
        status: HTTP status, where there was one.
        retry_after_s: seconds the provider asks to wait, where it does.
        billed: True when an answer had begun to arrive, so that the provider will charge for it.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        *,
        billed: bool = False,
    ) -> None:
        super().__init__(kind, message, status, retry_after_s)
        self.billed = billed
        self.kind: Kind = kind
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.kind}{f' {self.status}' if self.status else ''}: {self.message}"


class CallFailed(Exception):
    """A request that will bring no answer in this run: every try failed, or the provider will not take it."""

    def __init__(self, message: str, kind: Kind, tries: int) -> None:
        super().__init__(message, kind, tries)
        self.message = message
        self.kind = kind
        self.tries = tries

    def __str__(self) -> str:
        return f"{self.message} (after {self.tries} tries)" if self.tries > 1 else self.message


class RunStopped(Exception):
    """The run ends here, cleanly: nothing more is sent, everything paid for is kept, a later run goes on from here."""

    def __init__(self, reason: Literal["budget", "breaker", "batch", "worker", "signal"], message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message
