"""The layers between a rollout's `ask` and litellm, each an async callable Call -> Answer.

`Session` composes them; outermost first:

    CacheLayer(RetryLayer(LimitLayer(WriteAheadLayer(BillingLayer(LiteLLMClient)))))

Retries are outside the limits, so that a request waiting for its next try holds neither money nor
a place among the calls in flight. The write-ahead log is inside them, so that a call counts as in
flight until its answer is on the disk: a kill loses at most as many answers as calls may be in
flight. In batch mode `BatchQueue` takes the place of everything below the cache.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from tasks.errors import UserError
from tasks.llm.answer_watch import AnswerWatch
from tasks.llm.billing import (
    NOTHING_EXPECTED,
    Asked,
    Bill,
    Expected,
    bill_of,
    bill_of_failure,
    billed_answer,
)
from tasks.llm.budget import Budget
from tasks.llm.client import LiteLLMClient
from tasks.llm.errors import TRANSIENT, CallError, CallFailed, may_ask_again
from tasks.llm.journal import Entry
from tasks.llm.prices import Price
from tasks.llm.provider_reply import Reply
from tasks.llm.rate_limiter import RateLimiter, Slot
from tasks.llm.refused_parameters import ParameterRefused, refused_parameter
from tasks.llm.response_cache import ResponseCache
from tasks.llm.usage import Forecast, UsageMeter, cut_prompt
from tasks.llm.values import Answer, Request
from tasks.llm.write_ahead_log import WriteAheadLog
from tasks.settings import Generate

FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 60.0


@dataclass(frozen=True)
class Call:
    """One request on its way, and the attempt at a dialogue that asked for it.

    Attributes:
        key: the request's key, hashed once.
        journal: where its answer is logged.
        retries: tries before this one.
        expected: its forecast, once `LimitLayer` has made it.
    """

    request: Request
    key: str
    dialogue_id: str
    attempt: int
    journal: WriteAheadLog
    retries: int = 0
    expected: Expected = NOTHING_EXPECTED


class Layer(Protocol):
    """One layer: answers a call itself or passes it to the layer inside."""

    async def __call__(self, call: Call) -> Answer:
        """Return the answer to a call."""
        ...


class CacheLayer:
    """Answers from the response cache; a request already in flight is not sent again."""

    def __init__(self, inner: Layer, cache: ResponseCache, meter: UsageMeter) -> None:
        self._inner, self._cache, self._meter = inner, cache, meter
        self._in_flight: dict[str, asyncio.Task[Answer]] = {}

    async def __call__(self, call: Call) -> Answer:
        """Return the cached answer, else the one that is on its way or comes from inside."""
        cached = await self._cache.get(call.key)
        if cached is not None:
            self._meter.count(stored=1)
            return cached
        if call.key not in self._in_flight:
            task = asyncio.create_task(self._inner(call))
            self._in_flight[call.key] = task
            task.add_done_callback(lambda _: self._in_flight.pop(call.key))
        return await self._in_flight[call.key]


class RetryLayer:
    """Tries again after transient errors, and says of the others what they end."""

    def __init__(
        self,
        inner: Layer,
        generate: Generate,
        limiter: RateLimiter,
        meter: UsageMeter,
        watch: AnswerWatch,
    ) -> None:
        self._inner, self._limiter, self._meter, self._watch = inner, limiter, meter, watch
        self._model, self._limits = generate.model, generate.limits
        self._invalid = 0

    async def __call__(self, call: Call) -> Answer:
        """Return the answer of the first try that brings one.

        Raises:
            CallFailed: every try failed, or the provider does not take this request.
            ParameterRefused: the provider would take it without a parameter.
            RunStopped: the budget is spent, the circuit breaker opened or answers are of no use.
            UserError: every request would fail the same way: key, model, a parameter.
        """
        while True:
            try:
                answer = await self._inner(call)
                self._watch.answered(answer, problem_of_prompt(call.request, answer))
                return answer
            except CallError as error:
                if error.billed:
                    self._watch.unusable(error)
                parameter = refused_parameter(error, call.request)
                if parameter:
                    raise ParameterRefused(parameter, error.message) from None
                call = replace(call, retries=call.retries + 1)
                self._raise_if_final(error, call.retries)
                await self._limiter.sleep(delay_s(call.retries, error))
                self._meter.count(retried=1)

    def _raise_if_final(self, error: CallError, tries: int) -> None:
        """Raise what ends this request or the run; return when the error deserves another try."""
        if error.kind == "fatal":
            raise UserError(f"the provider refuses {self._model!r}: {error.message}")
        if error.kind == "invalid" and not self._meter.usage.answered:
            self._invalid += 1
            if self._invalid >= self._limits.breaker_failures:
                raise UserError(
                    f"the provider accepted none of {self._invalid} requests: {error.message}"
                )
        if not may_ask_again(error.kind, tries, self._limits.max_retries):
            self._meter.count(failed=1)
            raise CallFailed(str(error), error.kind, tries)


def problem_of_prompt(request: Request, answer: Answer) -> str:
    """Return why an answer is to another prompt than was sent, and the way out; empty if not."""
    cut = cut_prompt(request.messages, answer)
    return cut and f"{cut}: raise its context window (Ollama: generate.extra num_ctx)"


def delay_s(tries: int, error: CallError) -> float:
    """Return the seconds to wait before the next try.

    It is what the provider asks for, else it doubles with every try up to a minute, with full
    jitter. The jitter only spreads calls in time, so it needs no seed.
    """
    if error.retry_after_s is not None:
        return error.retry_after_s + random.uniform(0, FIRST_DELAY_S)
    return random.uniform(0, min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**tries))


@dataclass
class RequestPermit:
    """Permission to send one call, and what the call cost.

    Until `settle` is called the whole reservation counts as spent: a call that was sent and whose
    outcome is not known (cancelled, or its log cannot be written) may be billed.
    """

    slot: Slot
    expected: Expected
    dollars: float
    tokens: float | None = None

    def settle(self, answer: Answer | None) -> None:
        """Record what the call is billed at; None for a call that is not billed."""
        self.dollars = (answer.cost_usd or 0.0) if answer else 0.0
        self.tokens = answer.prompt_tokens + answer.completion_tokens if answer else None


class LimitLayer:
    """Sends a call when budget, rate limits and circuit breaker allow it."""

    def __init__(
        self,
        inner: Layer,
        limiter: RateLimiter,
        budget: Budget,
        forecast: Forecast,
        price: Price | None,
        meter: UsageMeter,
        context_tokens: int | None = None,
    ) -> None:
        """`context_tokens` is the model's context window, if it is known."""
        self._context_tokens = context_tokens
        self._inner, self._limiter, self._budget = inner, limiter, budget
        self._forecast, self._price, self._meter = forecast, price, meter

    async def __call__(self, call: Call) -> Answer:
        """Return the answer.

        Raises:
            CallError: the call failed.
            CallFailed: the prompt does not fit into the context window; nothing was sent.
            RunStopped: by the budget or the breaker.
        """
        async with self._permit(call.request) as permit:
            self._meter.count(sent=1)
            try:
                answer = await self._inner(replace(call, expected=permit.expected))
            except CallError as error:
                permit.settle(error.unusable)
                self._meter.count(refused=error.kind == "rate")
                if error.kind in TRANSIENT:
                    self._limiter.failed(permit.slot, error)
                raise
            permit.settle(answer)
            self._limiter.succeeded()
        return answer

    @asynccontextmanager
    async def _permit(self, request: Request) -> AsyncIterator[RequestPermit]:
        """Reserve money and tokens for one call, and settle both however it ends."""
        expected = Expected.of(request, self._forecast)
        self._check_window(expected)
        reserved = expected.dollars(self._price)
        spent = 0.0
        await self._budget.reserve(reserved)
        try:
            slot = await self._limiter.acquire(expected.tokens)
            permit = RequestPermit(slot, expected, reserved)
            try:
                yield permit
            finally:
                self._limiter.release(slot, permit.tokens)
                spent = permit.dollars
        finally:
            self._budget.settle(reserved, spent)

    def _check_window(self, expected: Expected) -> None:
        """Raise CallFailed for a prompt that the model would see only a part of."""
        window = self._context_tokens
        if window is None or expected.prompt_tokens < window:
            return
        self._meter.count(failed=1)
        raise CallFailed(
            f"not sent: the prompt has about {expected.prompt_tokens:,.0f} tokens and the context "
            f"window {window:,} (generate.limits.context_tokens; a server's own is raised there, "
            "Ollama's by generate.extra num_ctx)",
            "invalid",
            0,
        )


class WriteAheadLayer:
    """Logs every billed outcome before it counts."""

    def __init__(self, inner: Layer, run_id: str, meter: UsageMeter) -> None:
        self._inner, self._run_id, self._meter = inner, run_id, meter

    async def __call__(self, call: Call) -> Answer:
        """Return the answer once it is on the disk.

        Raises:
            CallError: the call failed; if it is billed all the same, its bill is logged.
            UserError: the log cannot be written.
        """
        try:
            answer = await self._inner(call)
        except CallError as error:
            if error.unusable is not None:
                await self._log(call, error.unusable, error.kind)
                self._meter.unusable(error.unusable)
            raise
        await self._log(call, answer)
        self._meter.answered(answer)
        return answer

    async def _log(self, call: Call, answer: Answer, problem: str = "") -> None:
        entry = Entry(answer, call.dialogue_id, call.attempt, self._run_id, problem=problem)
        await call.journal.append(entry)


class BillingLayer:
    """Makes an answer of the client's reply and of what it costs."""

    def __init__(self, client: LiteLLMClient, forecast: Forecast, timeout_s: float) -> None:
        self._client, self._forecast, self._timeout_s = client, forecast, timeout_s

    async def __call__(self, call: Call) -> Answer:
        """Ask once.

        Raises:
            CallError: the call failed; `unusable` is its bill where there is one.
        """
        asked_at, began = datetime.now(UTC), time.monotonic()

        def answer(reply: Reply, bill: Bill) -> Answer:
            latency_s = round(time.monotonic() - began, 4)
            request = call.request
            return billed_answer(
                reply,
                bill,
                Asked(call.key, request.model, request.api_base, call.retries, asked_at, latency_s),
            )

        try:
            reply = await self._client.complete(call.request, self._timeout_s)
        except CallError as error:
            failure = bill_of_failure(error, call.expected, self._client.price)
            if failure is not None:
                error.unusable = answer(*failure)
            raise
        bill = bill_of(call.expected, reply, self._client.price)
        if not bill.estimated:
            self._forecast.learn(call.request, bill.prompt_tokens, bill.completion_tokens)
        return answer(reply, bill)
