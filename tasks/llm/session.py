"""A session: one process's access to one model. It composes the layers between a rollout and it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.llm.answer_watch import AnswerWatch
from tasks.llm.batch import BatchClient, BatchQueue
from tasks.llm.budget import Budget
from tasks.llm.client import LiteLLMClient
from tasks.llm.errors import RunStopped
from tasks.llm.layers import (
    BillingLayer,
    CacheLayer,
    Call,
    Layer,
    LimitLayer,
    RetryLayer,
    WriteAheadLayer,
)
from tasks.llm.prices import Price
from tasks.llm.rate_limiter import RateLimiter
from tasks.llm.refused_parameters import Adaptation, ParameterRefused, without
from tasks.llm.requests import make_request
from tasks.llm.response_cache import ResponseCache
from tasks.llm.usage import Forecast, UsageMeter
from tasks.llm.values import Answer, Message
from tasks.llm.write_ahead_log import WriteAheadLog
from tasks.settings import Generate


class Session:
    """Everything between a rollout's `ask` and the model, for one model and its settings.

    Once the run must end (`stop`), every waiting and every later request that is not cached raises
    the reason; calls in flight run to their end, because they are paid for.
    """

    def __init__(
        self, generate: Generate, cache: ResponseCache, budget: Budget, run_id: str
    ) -> None:
        self.generate = generate
        self.run_id = run_id
        self.limiter = RateLimiter(generate.limits)
        self.meter = UsageMeter()
        self.stopped: RunStopped | UserError | None = None
        self.ask: Layer = CacheLayer(self._ask_model, cache, self.meter)
        self.adaptations: list[Adaptation] = []
        self._budget = budget
        self._model: Layer | None = None
        self._batch_queue: BatchQueue | None = None

    def ask_for(self, dialogue_id: str, attempt: int, journal: WriteAheadLog) -> SessionAsk:
        """Return the `ask` of one attempt at one dialogue."""
        return SessionAsk(self, dialogue_id, attempt, journal)

    def stop(self, reason: RunStopped | UserError) -> None:
        """End the run: nothing more is sent."""
        self.stopped = self.stopped or reason
        self.limiter.close(self.stopped)

    def go_without(self, refused: ParameterRefused, used: Generate) -> None:
        """Make later requests without a parameter that a request with settings `used` carried."""
        # Other requests of the same settings were in flight, and the first to fail has seen to it.
        if self.generate is used:
            self.generate, adaptation = without(used, refused)
            self.adaptations.append(adaptation)

    def close(self) -> None:
        """Stop what runs in the background."""
        if self._batch_queue is not None:
            self._batch_queue.close()

    async def _ask_model(self, call: Call) -> Answer:
        """Ask the model, unless the run has ended; what ends this call's run ends it for all."""
        if self.stopped is not None:
            raise self.stopped
        try:
            # Opened at the first request that is not cached: a replay needs no key and no litellm.
            if self._model is None:
                self._model = self._open_model(call.journal.path.parent)
            return await self._model(call)
        except (RunStopped, UserError) as reason:
            self.stop(reason)
            raise

    def _open_model(self, journals: Path) -> Layer:
        """Return the layers inside the cache. Raises UserError when the model cannot be asked."""
        if self.generate.mode == "batch":
            batches = BatchClient(self.generate)
            self._require_price(batches.price)
            self._batch_queue = BatchQueue(
                batches, self.generate.limits, self._budget, self.meter, journals, self.run_id
            )
            return self._batch_queue
        client = LiteLLMClient(self.generate)
        self._require_price(client.price)
        forecast = Forecast()
        layer: Layer = BillingLayer(client, forecast, self.generate.limits.timeout_s)
        layer = WriteAheadLayer(layer, self.run_id, self.meter)
        window = self.generate.limits.context_tokens
        layer = LimitLayer(
            layer, self.limiter, self._budget, forecast, client.price, self.meter, window
        )
        watch = AnswerWatch(self.generate.limits.stop_after_unusable)
        return RetryLayer(layer, self.generate, self.limiter, self.meter, watch)

    def _require_price(self, price: Price | None) -> None:
        """Raise UserError for a budget on a model whose price is unknown."""
        if self._budget.limit is None or price is not None:
            return
        batch = "batch " if self.generate.mode == "batch" else ""
        raise UserError(
            f"the {batch}price of {self.generate.model!r} is unknown, so a budget cannot be kept: "
            "set generate.input_cost_per_token and generate.output_cost_per_token, "
            "or leave the budget out"
        )


@dataclass(frozen=True)
class SessionAsk:
    """The `Ask` of one attempt at one dialogue."""

    session: Session
    dialogue_id: str
    attempt: int
    journal: WriteAheadLog

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the answer to messages.

        Raises:
            CallFailed: every try failed, or the provider does not take this request.
            RunStopped: the budget is spent or the circuit breaker opened.
            UserError: no request of this run can be answered: key, model, disk.
        """
        while True:
            generate = self.session.generate
            request = make_request(generate, messages, response_format, attempt)
            call = Call(request, request.key, self.dialogue_id, self.attempt, self.journal)
            try:
                return await self.session.ask(call)
            except ParameterRefused as refused:
                self.session.go_without(refused, generate)
