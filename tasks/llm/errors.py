"""How asking a model can fail, one type for each consequence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from tasks.llm.retry_after import retry_after, retry_after_in_body
from tasks.llm.values import Answer
from tasks.redaction import one_line

Kind = Literal[
    "rate",
    "overload",
    "timeout",
    "connection",
    "malformed",
    "oversized",
    "filtered",
    "invalid",
    "fatal",
    "empty",
    "truncated",
    "refused",
    "tool_call",
    "interrupted",
]
StopReason = Literal["budget", "breaker", "batch", "worker", "signal", "answers"]
TRANSIENT: frozenset[Kind] = frozenset({"rate", "overload", "timeout", "connection", "malformed"})
# A reply that says nothing is paid for, so it is asked again once only.
ASK_ONCE_MORE: frozenset[Kind] = frozenset({"empty", "tool_call", "interrupted"})


class CallError(Exception):
    """One try at one request that brought no answer.

    `rate`, `overload`, `timeout`, `connection` and `malformed` may succeed a second time;
    `oversized` is an answer cut off at the cap, which another try would pay for again; `filtered`
    is the provider's content filter; `invalid` is a request that the provider will never take;
    `fatal` concerns every request (key, model, credit).

    Five kinds are replies that arrived and say nothing: `empty`, `tool_call` (a call of a tool in
    place of text) and `interrupted` (the provider broke off with an error of its own) may succeed
    a second time; `truncated` (ended at max_tokens before the answer began) and `refused` (the
    model declines) would be paid for again without one.

    Attributes:
        status: HTTP status, where there was one.
        retry_after_s: seconds the provider asks to wait, where it does.
        billed: True when an answer had begun to arrive, so that the provider will charge for it.
        unusable: the bill of a billed call as an answer without text, once it is made.
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
        self.kind: Kind = kind
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s
        self.billed = billed
        self.unusable: Answer | None = None

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.kind}{status}: {self.message}"


def may_ask_again(kind: Kind, tries: int, max_retries: int) -> bool:
    """Return True if a request that failed `tries` times deserves another try."""
    if kind in ASK_ONCE_MORE:
        return tries <= min(1, max_retries)
    return kind in TRANSIENT and tries <= max_retries


class CallFailed(Exception):
    """A request that gets no answer in this run.

    Every try failed, or the provider will not take it.
    """

    def __init__(self, message: str, kind: Kind, tries: int) -> None:
        super().__init__(message, kind, tries)
        self.message = message
        self.kind = kind
        self.tries = tries

    def __str__(self) -> str:
        return f"{self.message} (after {self.tries} tries)" if self.tries > 1 else self.message


class RunStopped(Exception):
    """The run ends cleanly: everything paid for is kept, and a later run goes on from here."""

    def __init__(self, reason: StopReason, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


_BY_NAME: dict[str, Kind] = {
    "RateLimitError": "rate",
    "Timeout": "timeout",
    "APITimeoutError": "timeout",
    "APIConnectionError": "connection",
    "APIResponseValidationError": "malformed",
    "ContentPolicyViolationError": "filtered",
    "RejectedRequestError": "filtered",
    "ContextWindowExceededError": "invalid",
    "UnsupportedParamsError": "fatal",
    "LiteLLMUnknownProvider": "fatal",
    "PaymentRequiredError": "fatal",
    "AuthenticationError": "fatal",
    "PermissionDeniedError": "fatal",
    "NotFoundError": "fatal",
    "BadRequestError": "invalid",
    "UnprocessableEntityError": "invalid",
}
# How providers word a spent credit where its code does not tell: Anthropic sends it as a 400.
_NO_CREDIT = re.compile(
    r"credit balance is too low|requires more credits|insufficient (?:credits?|funds|balance)"
    r"|out of credits?|no (?:remaining )?credits? (?:left|available)",
    re.IGNORECASE,
)
_STATUSES = range(100, 600)
_BY_STATUS: dict[int, Kind] = {
    401: "fatal",
    402: "fatal",
    403: "fatal",
    404: "fatal",
    408: "timeout",
    409: "overload",
    429: "rate",
}
# Codes of a 429 that no wait cures.
_OUT_OF_CREDIT = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
)


def as_call_error(error: Exception) -> CallError:
    """Return what a litellm or openai exception means for the run, its text free of secrets."""
    code = getattr(error, "status_code", None)
    # litellm takes the code from the reply's own text where there is one, so it may be anything.
    status = code if isinstance(code, int) and code in _STATUSES else None
    kind: Kind = "malformed" if code is not None and status is None else _kind(error, status)
    body_code = _body_code(error)
    if kind == "rate" and body_code in _OUT_OF_CREDIT:
        kind = "fatal"
    if kind == "invalid" and body_code == "content_filter":
        kind = "filtered"
    text = one_line(str(error))
    if kind in ("rate", "invalid") and _NO_CREDIT.search(text):
        kind = "fatal"
    if type(error).__name__ == "UnsupportedParamsError":
        text = (
            "it does not take a parameter that is set; set generate.temperature, top_p or seed to "
            f"null, or take it out of generate.extra ({text})"
        )
    wait_s = retry_after(_headers(error))
    if wait_s is None and kind in ("rate", "overload"):
        wait_s = retry_after_in_body(getattr(error, "body", None))
    return CallError(kind, text, status, wait_s)


def _kind(error: Exception, status: int | None) -> Kind:
    for base in type(error).__mro__:
        if base.__name__ in _BY_NAME:
            return _BY_NAME[base.__name__]
    return "connection" if status is None else kind_of_status(status)


def kind_of_status(status: int) -> Kind:
    """Return what an HTTP status means where nothing else is known."""
    if status < 400:
        return "malformed"  # the provider reports no error, but its answer could not be read
    return _BY_STATUS.get(status, "overload" if status >= 500 else "invalid")


def _body_code(error: Exception) -> str | None:
    body = getattr(error, "body", None)
    return str(body.get("code")) if isinstance(body, Mapping) else None


def _headers(error: Exception) -> Mapping[str, Any]:
    headers = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None)
    return {str(name).lower(): value for name, value in headers.items()} if headers else {}
