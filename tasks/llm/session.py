"""A session: one process's way to the model. Store first, then the call, then the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.llm.batch_client import BatchClient
from tasks.llm.batch_queue import BatchQueue
from tasks.llm.budget import Budget
from tasks.llm.client import LiteLLMClient
from tasks.llm.errors import RunStopped
from tasks.llm.rate_limiter import RateLimiter
from tasks.llm.request_executor import RequestExecutor
from tasks.llm.requests import make_request
from tasks.llm.response_cache import ResponseCache
from tasks.llm.usage import UsageMeter
from tasks.llm.values import Answer, Message, Request
from tasks.llm.write_ahead_log import Entry, WriteAheadLog
from tasks.settings import Generate


class Session:
    """Everything between a rollout's `ask` and the model, for one model and its settings.

    Once the run must end (`stop`), whatever waits and whatever comes later raises the reason; calls
    in flight run to their end, because they are paid for.
    """

    def __init__(
        self, generate: Generate, lookup: ResponseCache, budget: Budget, run_id: str
    ) -> None:
        self.generate = generate
        self.run_id = run_id
        self.limiter = RateLimiter(generate.limits)
        self.meter = UsageMeter()
        self.stopped: RunStopped | UserError | None = None
        self._lookup = lookup
        self._budget = budget
        self._caller: RequestExecutor | None = None
        self._desk: BatchQueue | None = None
        self._flying: dict[str, asyncio.Task[Answer]] = {}

    def ask_for(self, dialogue_id: str, attempt: int, journal: WriteAheadLog) -> SessionAsk:
        """Return the `ask` of one attempt at one dialogue."""
        return SessionAsk(self, dialogue_id, attempt, journal)

    async def answer(self, request: Request, owner: SessionAsk) -> Answer:
        """Return the stored answer or ask for one; a request already on its way is not sent again.

        Raises:
            CallFailed: every try failed, or the provider does not take this request.
            RunStopped: the budget is spent or the breaker opened.
            UserError: no request of this run can be answered: key, model, disk.
        """
        key = request.key
        found = await self._lookup.get(key)
        if found is not None:
            self.meter.count(stored=1)
            return found
        if key not in self._flying:
            self._flying[key] = asyncio.create_task(self._ask(request, key, owner))
            self._flying[key].add_done_callback(lambda _: self._flying.pop(key))
        return await self._flying[key]

    def stop(self, reason: RunStopped | UserError) -> None:
        """End the run: nothing more is sent."""
        self.stopped = self.stopped or reason
        self.limiter.close(self.stopped)

    def close(self) -> None:
        """End what goes on in the background."""
        if self._desk is not None:
            self._desk.close()

    async def _ask(self, request: Request, key: str, owner: SessionAsk) -> Answer:
        try:
            self._check_open()
            if self.generate.mode == "batch":
                return await self._open_desk(owner.journal.path.parent).call(
                    request, key, owner.dialogue_id, owner.attempt
                )
            return await self._open_caller().call(request, key, owner.keep)
        except (RunStopped, UserError) as reason:
            self.stop(reason)
            raise

    def _check_open(self) -> None:
        if self.stopped is not None:
            raise self.stopped

    def _open_caller(self) -> RequestExecutor:
        """Open the way to the model at the first request the store does not answer: a replay needs no key and no litellm."""
        if self._caller is None:
            self._caller = RequestExecutor(
                LiteLLMClient(self.generate),
                self.generate.limits,
                self.limiter,
                self._budget,
                self.meter,
            )
        return self._caller

    def _open_desk(self, folder: Path) -> BatchQueue:
        if self._desk is None:
            self._desk = BatchQueue(
                BatchClient(self.generate),
                self.generate.limits,
                self._budget,
                self.meter,
                folder,
                self.run_id,
            )
        return self._desk


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
        """Return the answer to messages; see `Session.answer`."""
        return await self.session.answer(
            make_request(self.session.generate, messages, response_format, attempt), self
        )

    async def keep(self, answer: Answer, problem: str = "") -> None:
        """Write an answer, or what an unusable one is billed at, into the journal; returns when it is on the disk."""
        await self.journal.append(
            Entry(answer, self.dialogue_id, self.attempt, self.session.run_id, problem=problem)
        )
