"""One request, answered: budget and limits before it, retries around it, the price behind it."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.errors import UserError
from tasks.llm.billing import Bill, Expected, bill_of, billed_answer, forecast_bill
from tasks.llm.budget import Budget
from tasks.llm.client import LiteLLMClient
from tasks.llm.errors import TRANSIENT, CallError, CallFailed
from tasks.llm.provider_reply import NO_REPLY, Reply
from tasks.llm.rate_limiter import RateLimiter, Slot
from tasks.llm.usage import Forecast, UsageMeter
from tasks.llm.values import Answer, Request
from tasks.settings import Limits

Keep = Callable[
    [Answer, str], Awaitable[None]
]  # the answer, and why it is none that can be used, or ""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 60.0
FILTERED = Reply(
    "", "content_filter", None, None, "", ""
)  # the provider's filter spoke before the model did: an outcome
FREE = Bill(0, 0, 0.0, estimated=False)


@dataclass
class RequestPermit:
    """Leave to send one call, and what it came to: filled in by whoever sends it."""

    slot: Slot
    expected: Expected
    tokens: float | None = None
    dollars: float = 0.0

    def settle(self, bill: Bill) -> None:
        """Take over what the call came to."""
        self.tokens, self.dollars = bill.tokens, bill.cost_usd or 0.0


@dataclass(frozen=True)
class _Sent:
    """One request on its way."""

    request: Request
    key: str
    retries: int
    asked_at: datetime
    started: float

    def answer(self, reply: Reply, bill: Bill) -> Answer:
        """Return what came back, with its bill."""
        return billed_answer(
            reply,
            bill,
            key=self.key,
            model=self.request.model,
            api_base=self.request.api_base,
            retries=self.retries,
            asked_at=self.asked_at,
            latency_s=round(time.monotonic() - self.started, 4),
        )


class RequestExecutor:
    """Sends requests to one model until they are answered or cannot be."""

    def __init__(
        self,
        door: LiteLLMClient,
        limits: Limits,
        limiter: RateLimiter,
        budget: Budget,
        meter: UsageMeter,
    ) -> None:
        """Refuse, with a UserError, a budget that no price is known to keep by."""
        if budget.limit is not None and door.price is None:
            raise UserError(
                f"the price of {door.model!r} is unknown, so a budget cannot be kept: set generate.input_cost_per_token and "
                "generate.output_cost_per_token, or leave the budget out"
            )
        self._door = door
        self._limits = limits
        self._limiter = limiter
        self._budget = budget
        self._meter = meter
        self._forecast = Forecast()
        self._rejected = 0

    async def call(self, request: Request, key: str, keep: Keep) -> Answer:
        """Return the answer to a request, once `keep` has made it durable: until then it counts as in flight.

        Raises:
            CallFailed: every try failed, or the provider does not take this request.
            RunStopped: the budget is spent or the breaker opened.
            UserError: what is wrong would be wrong with every request: key, model, a parameter.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return await self._try(request, key, keep, tries - 1)
            except CallError as error:
                self._give_up_on(error, tries)
                await self._limiter.sleep(delay_s(tries, error))
                self._meter.count(retried=1)

    def _give_up_on(self, error: CallError, tries: int) -> None:
        """Raise what ends this request or the run; return when the error is worth another try."""
        if error.kind == "fatal":
            raise UserError(f"the provider refuses {self._door.model!r}: {error.message}")
        if error.kind == "invalid" and not self._meter.usage.answered:
            self._rejected += 1
            if self._rejected >= self._limits.breaker_failures:
                raise UserError(
                    f"the provider took none of {self._rejected} requests: {error.message}"
                )
        if error.kind not in TRANSIENT or tries > self._limits.max_retries:
            self._meter.count(failed=1)
            raise CallFailed(str(error), error.kind, tries)

    async def _try(self, request: Request, key: str, keep: Keep, retries: int) -> Answer:
        async with self._leave(request) as leave:
            sent = _Sent(request, key, retries, datetime.now(UTC), time.monotonic())
            try:
                reply = await self._send(request, leave.slot)
            except CallError as error:
                if error.billed:
                    await self._keep_billed(sent, error, leave, keep)
                raise
            bill = FREE if reply is FILTERED else bill_of(leave.expected, reply, self._door.price)
            leave.settle(bill)
            answer = sent.answer(reply, bill)
            await keep(answer, "")
        if not bill.estimated:
            self._forecast.learn(request, bill.prompt_tokens, bill.completion_tokens)
        self._meter.answered(answer)
        return answer

    async def _keep_billed(
        self, sent: _Sent, error: CallError, leave: RequestPermit, keep: Keep
    ) -> None:
        """Write down what a call that brought no usable answer will be charged, by its forecast."""
        bill = forecast_bill(leave.expected, self._door.price)
        leave.settle(bill)
        answer = sent.answer(NO_REPLY, bill)
        await keep(answer, error.kind)
        self._meter.unusable(answer)

    @asynccontextmanager
    async def _leave(self, request: Request) -> AsyncIterator[RequestPermit]:
        """Set money and tokens aside for one call and settle both by what it came to, whatever happens."""
        expected = Expected.of(request, self._forecast)
        price = self._door.price
        held = price.of(expected.prompt_tokens, expected.completion_tokens) if price else 0.0
        await self._budget.hold(held)
        spent = 0.0
        try:
            slot = await self._limiter.acquire(expected.prompt_tokens + expected.completion_tokens)
            leave = RequestPermit(slot, expected)
            try:
                yield leave
            finally:
                self._limiter.release(slot, leave.tokens)
                spent = leave.dollars
        finally:
            self._budget.settle(held, spent)

    async def _send(self, request: Request, slot: Slot) -> Reply:
        self._meter.count(sent=1)
        try:
            reply = await self._door.complete(request, self._limits.timeout_s)
        except CallError as error:
            if error.kind == "filtered":
                self._limiter.succeeded()
                return FILTERED
            self._meter.count(refused=error.kind == "rate")
            if error.kind in TRANSIENT:
                self._limiter.failed(slot, error)
            raise
        self._limiter.succeeded()
        return reply


def delay_s(tries: int, error: CallError) -> float:
    """Return the seconds to wait before the next try: what the provider asks for, else doubling, up to a minute, with full jitter.

    The jitter only spreads calls in time, so it needs no seed.
    """
    if error.retry_after_s is not None:
        return error.retry_after_s + random.uniform(0, FIRST_DELAY_S)
    return random.uniform(0, min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**tries))
