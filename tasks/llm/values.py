"""Requests to a model, its answers, and what rollouts make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tasks.fingerprint import fingerprint

Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": text}

CUT_OFF = frozenset({"length", "max_tokens"})
"""Finish reasons of an answer that was cut off for its length."""
BROKEN_OFF = CUT_OFF | {"content_filter"}
"""Finish reasons of an answer that was cut off, for its length or by the provider's filter."""


@dataclass(frozen=True)
class Request:
    """One request: everything that changes the answer, and nothing else.

    Attributes:
        sampling: temperature, top_p, max_tokens, seed ...; only those that are set.
        response_format: as litellm takes it, or None.
        attempt: from 1; a second attempt with the same messages is another request.
    """

    model: str
    messages: tuple[Message, ...]
    api_base: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    response_format: Mapping[str, Any] | None = None
    attempt: int = 1

    def payload(self) -> dict[str, Any]:
        """Return the request as the JSON data that is hashed."""
        return {
            "model": self.model,
            "messages": [dict(message) for message in self.messages],
            "api_base": self.api_base,
            "sampling": dict(self.sampling),
            "response_format": self.response_format,
            "attempt": self.attempt,
        }

    @property
    def key(self) -> str:
        """The request key: SHA-256 of the payload, 64 hex digits."""
        return fingerprint(self.payload())


@dataclass(frozen=True)
class Answer:
    """One answer, as paid for.

    Attributes:
        finish_reason: as the provider names it.
        cost_usd: None when the model's price is unknown.
        usage_estimated: True when tokens and dollars are our forecast, because the provider gave no
            counts that can be true.
        cached_tokens, cache_write_tokens: of the prompt tokens, as far as the provider says.
        reasoning_tokens: of the completion tokens.
        cost_is_upper_bound: True when cached tokens are billed at the full price, because theirs
            is unknown.
    """

    request_key: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    latency_s: float
    model: str
    api_base: str | None
    model_returned: str
    provider_id: str
    retries: int
    asked_at: str
    usage_estimated: bool = False
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_is_upper_bound: bool = False


class Ask(Protocol):
    """What a rollout calls to get an answer to messages, cached or from the model."""

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the answer.

        Raises CallFailed when every try failed, RunStopped on a spent budget or an open breaker.
        """
        ...


@dataclass(frozen=True)
class Transcript:
    """What a rollout made of one brief: the dialogue's raw text in the prompt profile's format.

    `status` is "answered" or "failed". A failed one has no text; `error` is why, or what is known
    to be wrong with an answer.
    """

    dialogue_id: str
    attempt: int
    status: Literal["answered", "failed"]
    text: str
    finish_reason: str
    request_keys: tuple[str, ...]
    error: str = ""
