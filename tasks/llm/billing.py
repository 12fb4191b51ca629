"""What an answer is billed at: the provider's own token counts where they can be true, else the forecast, marked so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tasks.llm.prices import Price
from tasks.llm.provider_reply import Reply
from tasks.llm.usage import CHARACTERS_PER_TOKEN, Forecast
from tasks.llm.values import Answer, Request

MOST_ADDED_TOKENS = (
    20_000  # a server's chat template and system prompt, over the text that was sent
)
MOST_OVER_PLAIN_PRICE = (
    4.0  # writing to a cache costs up to twice, a long context up to twice the plain price
)
MOST_PROMPT_TOKENS = 2_000_000  # no model of today reads more at once
MOST_COMPLETION_TOKENS = (
    1_000_000  # reasoning included; no model of today writes more in one answer
)


@dataclass(frozen=True)
class Bill:
    """Tokens and dollars of one call. `cost_usd` is None when the model's price is unknown.

    `estimated` is True when the provider's token counts were missing or cannot be true and the
    forecast stands in.
    """

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    estimated: bool

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Expected:
    """What a call should come to: its forecast in tokens, and the most prompt tokens that its text can have."""

    prompt_tokens: float
    completion_tokens: float
    most_prompt_tokens: float

    @classmethod
    def of(cls, request: Request, forecast: Forecast) -> Expected:
        """Return what a request should come to. A token is at least one byte of text."""
        prompt, completion = forecast.expect(request)
        size = sum(
            len(message["content"].encode("utf-8", "replace")) for message in request.messages
        )
        return cls(prompt, completion, size + MOST_ADDED_TOKENS)


def billed_answer(
    reply: Reply,
    bill: Bill,
    *,
    key: str,
    model: str,
    api_base: str | None,
    retries: int,
    asked_at: datetime,
    latency_s: float,
) -> Answer:
    """Return what a request came to: the reply, its bill, and how it was asked."""
    return Answer(
        request_key=key,
        text=reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=bill.prompt_tokens,
        completion_tokens=bill.completion_tokens,
        cost_usd=bill.cost_usd,
        latency_s=latency_s,
        model=model,
        api_base=api_base,
        model_returned=reply.model,
        provider_id=reply.provider_id,
        retries=retries,
        asked_at=asked_at.isoformat(),
        usage_estimated=bill.estimated,
    )


UNKNOWN = Expected(
    0.0, 0.0, MOST_PROMPT_TOKENS
)  # of a request that another process sent in a batch


def bill_of(expected: Expected, reply: Reply, price: Price | None) -> Bill:
    """Return the bill of an answered call: the provider's counts where they can be true, else an estimate.

    A prompt has at least one token, and an answer with text has at least one.
    """
    prompt, completion = reply.prompt_tokens, reply.completion_tokens
    if prompt is None or not 1 <= prompt <= expected.most_prompt_tokens:
        return _estimate(expected, reply, price)
    if completion is None or not bool(reply.text) <= completion <= MOST_COMPLETION_TOKENS:
        return _estimate(expected, reply, price)
    return Bill(
        prompt, completion, _cost(price, prompt, completion, reply.cost_usd), estimated=False
    )


def forecast_bill(expected: Expected, price: Price | None) -> Bill:
    """Return the bill of a call that was answered by something that cannot be read: its forecast."""
    return _priced(expected.prompt_tokens, expected.completion_tokens, price)


def _estimate(expected: Expected, reply: Reply, price: Price | None) -> Bill:
    return _priced(expected.prompt_tokens, len(reply.text) / CHARACTERS_PER_TOKEN, price)


def _priced(prompt: float, completion: float, price: Price | None) -> Bill:
    tokens = max(1, round(prompt)), max(1, round(completion))
    return Bill(*tokens, _cost(price, *tokens, None), estimated=True)


def _cost(
    price: Price | None, prompt: int, completion: int, from_litellm: float | None
) -> float | None:
    if price is None:
        return None
    plain = price.of(prompt, completion)
    # litellm knows of cached tokens and price tiers; it says 0 of a model version it does not know,
    # and believes any detail of the usage block, so what is far above the plain price is not taken
    # over.
    if price.source == "litellm" and from_litellm and from_litellm <= MOST_OVER_PLAIN_PRICE * plain:
        return from_litellm
    return plain
