"""What an answer is billed at.

The provider's own token counts where they can be true, else our forecast, marked as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tasks.llm.errors import CallError
from tasks.llm.prices import Price
from tasks.llm.provider_reply import NO_REPLY, Reply, UnusableReply
from tasks.llm.token_details import NO_DETAILS, TokenDetails
from tasks.llm.usage import CHARACTERS_PER_TOKEN, Forecast
from tasks.llm.values import Answer, Request

# A server's chat template and system prompt, over the text that was sent.
MAX_ADDED_TOKENS = 20_000
# Writing to a cache costs up to twice the plain price, and so does a long context.
MAX_OVER_PLAIN_PRICE = 4.0
# No model of today reads or writes (reasoning included) more in one call.
MAX_PROMPT_TOKENS, MAX_COMPLETION_TOKENS = 2_000_000, 1_000_000


@dataclass(frozen=True)
class Bill:
    """Tokens and dollars of one call.

    Attributes:
        cost_usd: None when the model's price is unknown.
        estimated: True when the provider's token counts were missing or cannot be true, so that
            the forecast stands in.
        details: parts of the tokens that have a price of their own.
        is_upper_bound: True when cached tokens are billed at the full price.
    """

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    estimated: bool
    details: TokenDetails = NO_DETAILS
    is_upper_bound: bool = False


@dataclass(frozen=True)
class Expected:
    """The forecast of one call in tokens, and the most prompt tokens that its text can have."""

    prompt_tokens: float
    completion_tokens: float
    max_prompt_tokens: float

    @classmethod
    def of(cls, request: Request, forecast: Forecast) -> Expected:
        """Return the forecast of a request. A token is at least one byte of text."""
        prompt, completion = forecast.expect(request)
        size = sum(
            len(message["content"].encode("utf-8", "replace")) for message in request.messages
        )
        return cls(prompt, completion, size + MAX_ADDED_TOKENS)

    @property
    def tokens(self) -> float:
        """Input and output tokens together."""
        return self.prompt_tokens + self.completion_tokens

    def dollars(self, price: Price | None) -> float:
        """Return what the call should cost; 0 when the price is unknown."""
        return price.of(self.prompt_tokens, self.completion_tokens) if price else 0.0


NOTHING_EXPECTED = Expected(0.0, 0.0, 0.0)
UNKNOWN = Expected(0.0, 0.0, MAX_PROMPT_TOKENS)  # of a request that another process sent


@dataclass(frozen=True)
class Asked:
    """How a request was asked: what an answer records beside its reply and its bill."""

    key: str
    model: str
    api_base: str | None
    retries: int
    asked_at: datetime
    latency_s: float


def billed_answer(reply: Reply, bill: Bill, asked: Asked) -> Answer:
    """Return the answer to a request."""
    return Answer(
        request_key=asked.key,
        text=reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=bill.prompt_tokens,
        completion_tokens=bill.completion_tokens,
        cost_usd=bill.cost_usd,
        latency_s=asked.latency_s,
        model=asked.model,
        api_base=asked.api_base,
        model_returned=reply.model,
        provider_id=reply.provider_id,
        retries=asked.retries,
        asked_at=asked.asked_at.isoformat(),
        usage_estimated=bill.estimated,
        cached_tokens=bill.details.cached,
        cache_write_tokens=bill.details.cache_write,
        reasoning_tokens=bill.details.reasoning,
        cost_is_upper_bound=bill.is_upper_bound,
    )


def bill_of(expected: Expected, reply: Reply, price: Price | None) -> Bill:
    """Return the bill of an answered call.

    It holds the provider's counts where they can be true, else an estimate. A prompt has at least
    one token, and so has an answer with text.
    """
    prompt, completion = reply.prompt_tokens, reply.completion_tokens
    if prompt is None or not 1 <= prompt <= expected.max_prompt_tokens:
        return _estimate(expected, reply, price)
    if completion is None or not bool(reply.text) <= completion <= MAX_COMPLETION_TOKENS:
        return _estimate(expected, reply, price)
    details = reply.details.within(prompt, completion)
    cost_usd = _cost(price, prompt, completion, details, reply.cost_usd)
    is_upper_bound = price is not None and price.is_upper_bound(details)
    return Bill(prompt, completion, cost_usd, False, details, is_upper_bound)


def bill_of_failure(
    error: CallError, expected: Expected, price: Price | None
) -> tuple[Reply, Bill] | None:
    """Return what a failed call is billed at, with its reply without text; None if it is not.

    A reply that says nothing has the provider's counts, one that cannot be read the forecast.
    """
    if isinstance(error, UnusableReply):
        return error.reply, bill_of(expected, error.reply, price)
    if not error.billed:
        return None
    return NO_REPLY, _priced(expected.prompt_tokens, expected.completion_tokens, price)


def _estimate(expected: Expected, reply: Reply, price: Price | None) -> Bill:
    completion = (
        len(reply.text) / CHARACTERS_PER_TOKEN if reply.text else expected.completion_tokens
    )
    return _priced(expected.prompt_tokens, completion, price)


def _priced(prompt: float, completion: float, price: Price | None) -> Bill:
    tokens = max(1, round(prompt)), max(1, round(completion))
    return Bill(*tokens, _cost(price, *tokens, NO_DETAILS, None), estimated=True)


def _cost(
    price: Price | None,
    prompt: int,
    completion: int,
    details: TokenDetails,
    litellm_usd: float | None,
) -> float | None:
    if price is None:
        return None
    plain = price.of(prompt, completion, details)
    # litellm bills cached tokens at nothing where their price is unknown.
    if price.is_upper_bound(details):
        return plain
    # litellm knows price tiers as well. It says 0 for a model version that it does not
    # know and believes every detail of the usage block, so a cost far above the plain price is not
    # taken over.
    most = MAX_OVER_PLAIN_PRICE * price.of(prompt, completion)
    if price.source == "litellm" and litellm_usd and litellm_usd <= most:
        return litellm_usd
    return plain
