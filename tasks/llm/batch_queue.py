"""Batch mode: requests wait for each other, go off as one batch, and come back hours later, perhaps to another process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.llm.batch_client import BatchClient
from tasks.llm.batch_transfer import BatchState, BatchTransfer, Member, load_states
from tasks.llm.billing import UNKNOWN, Bill, Expected, bill_of, billed_answer, forecast_bill
from tasks.llm.budget import Budget
from tasks.llm.errors import TRANSIENT, CallError, CallFailed, RunStopped
from tasks.llm.provider_reply import NO_REPLY, Reply
from tasks.llm.usage import Forecast, UsageMeter
from tasks.llm.values import Answer, Request
from tasks.llm.write_ahead_log import Entry
from tasks.settings import Limits

QUIET_S = 1.0  # a batch goes off when no request has come for so long
MOST_REQUESTS, MOST_BYTES = 50_000, 150_000_000  # of one batch file, below what OpenAI takes


class _AskAgain(Exception):
    """A request's batch brought no answer to it, or was never made."""

    def __init__(self, tries: int) -> None:
        super().__init__(tries)
        self.tries = tries


@dataclass(frozen=True)
class Wanted:
    """A request that waits to be sent, and what it will probably cost."""

    request: Request
    member: Member
    expected: Expected
    dollars: float


class BatchQueue:
    """Gathers requests into batches, sees to it that each is sent once, and hands the answers out once they are in a journal."""

    def __init__(
        self,
        api: BatchClient,
        limits: Limits,
        budget: Budget,
        meter: UsageMeter,
        folder: Path,
        run_id: str,
    ) -> None:
        """Take up the batches an earlier process left on their way; refuse, with a UserError, a budget that no price is known for."""
        if budget.limit is not None and api.price is None:
            raise UserError(
                f"the batch price of {api.model!r} is unknown, so a budget cannot be kept: set both prices, or leave it out"
            )
        self._api, self._limits, self._budget, self._meter, self._run_id = (
            api,
            limits,
            budget,
            meter,
            run_id,
        )
        self._courier = BatchTransfer(api, folder, limits.breaker_failures)
        self._forecast = Forecast()
        self._waiting: dict[str, Wanted] = {}
        self._coming: dict[str, asyncio.Future[Answer]] = {}
        self._held: dict[str, float] = {}
        self._expected: dict[str, Expected] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gathering = False
        for state in load_states(folder, api.model):
            for member in state.members:
                self._await(member.key)
            self._spawn(self._follow(state))

    async def call(self, request: Request, key: str, dialogue_id: str, attempt: int) -> Answer:
        """Return the answer to a request once its batch is back.

        Raises:
            CallFailed: the provider did not answer it in any of the batches it was in.
            RunStopped: the budget is spent, or the provider is down; what is on its way is
                collected by the next run.
            UserError: the provider refuses the batch as a whole.
        """
        tries = 0
        while True:
            self._expected.setdefault(
                key, Expected.of(request, self._forecast)
            )  # it may come back in a batch of an earlier run
            if key not in self._coming:
                self._queue(request, Member(key, dialogue_id, attempt, tries))
            try:
                return await asyncio.shield(self._coming[key])
            except _AskAgain as again:
                tries = again.tries

    def close(self) -> None:
        """Stop waiting; batches on their way are collected by the next run."""
        for task in self._tasks:
            task.cancel()

    def _queue(self, request: Request, member: Member) -> None:
        expected = Expected.of(request, self._forecast)
        price = self._api.price
        dollars = price.of(expected.prompt_tokens, expected.completion_tokens) if price else 0.0
        self._await(member.key)
        self._waiting[member.key] = Wanted(request, member, expected, dollars)
        if not self._gathering:
            self._gathering = True
            self._spawn(self._gather())

    def _await(self, key: str) -> None:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        future.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # nobody may wait for what an earlier run sent
        self._coming[key] = future

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gather(self) -> None:
        """Send what waits once nothing more comes, as many batches as it takes and the budget allows."""
        seen = -1
        while seen != len(self._waiting):
            seen = len(self._waiting)
            await asyncio.sleep(QUIET_S)
        self._gathering = False
        await self._send_waiting()

    async def _send_waiting(self) -> None:
        while self._waiting:
            chosen = self._affordable()
            if not chosen:
                if not self._held:
                    dollars = next(iter(self._waiting.values())).dollars
                    self._fail(
                        list(self._waiting), RunStopped("budget", self._budget.refusal(dollars))
                    )
                return  # the batch that comes back next settles what it cost and looks again
            members = tuple(self._waiting.pop(key).member for key in chosen)
            try:
                state = await self._courier.send(members, chosen.values())
            except (CallError, UserError) as error:
                self._fail_all(error, "no batch could be sent")
                return
            self._meter.count(sent=len(members))
            self._spawn(self._follow(state))

    def _affordable(self) -> dict[str, bytes]:
        """Choose what fits one batch file and the budget, set its cost aside, and return the lines by request key."""
        chosen: dict[str, bytes] = {}
        size = 0
        for key, wanted in self._waiting.items():
            line = self._api.line(wanted.request, key)
            size += len(line) + 1
            full = len(chosen) >= MOST_REQUESTS or size > MOST_BYTES
            if (chosen and full) or not self._budget.try_hold(wanted.dollars):
                break
            self._held[key] = wanted.dollars
            self._expected[key] = wanted.expected
            chosen[key] = line
        return chosen

    async def _follow(self, state: BatchState) -> None:
        """Wait for a batch, keep its answers, wake who waits, and send what it left unanswered or unaffordable."""
        try:
            collected = await self._courier.collect(state)
            if collected is None:
                self._fail([member.key for member in state.members], _AskAgain(0))
                return
            state, results = collected
            entries = {
                member.key: entry
                for member in state.members
                if (entry := self._entry(member, state, results))
            }
            await self._courier.keep(state, list(entries.values()))
        except (CallError, UserError) as error:
            self._fail_all(error, f"batch {state.batch_id or state.label} cannot be collected")
            return
        for member in state.members:
            self._hand_out(member, entries.get(member.key), results)
        if self._waiting and not self._gathering:
            await self._send_waiting()

    def _entry(
        self, member: Member, state: BatchState, results: Mapping[str, Reply | CallError]
    ) -> Entry | None:
        """Return the journal entry of one request's result: its answer, or a billed answer that cannot be used."""
        result = results.get(member.key)
        expected = self._expected.pop(member.key, UNKNOWN)
        if isinstance(result, Reply):
            return self._entry_of(
                member, state, result, bill_of(expected, result, self._api.price), ""
            )
        if result is not None and result.billed:
            bill = forecast_bill(expected, self._api.price)
            return self._entry_of(member, state, NO_REPLY, bill, result.kind)
        return None

    def _entry_of(
        self, member: Member, state: BatchState, reply: Reply, bill: Bill, problem: str
    ) -> Entry:
        answer = billed_answer(
            reply,
            bill,
            key=member.key,
            model=self._api.model,
            api_base=self._api.api_base,
            retries=member.tries,
            asked_at=datetime.fromtimestamp(state.sent_at, UTC),
            latency_s=round(time.time() - state.sent_at, 1),
        )
        return Entry(
            answer, member.dialogue_id, member.attempt, self._run_id, state.batch_id, problem
        )

    def _hand_out(
        self, member: Member, entry: Entry | None, results: Mapping[str, Reply | CallError]
    ) -> None:
        self._budget.settle(
            self._held.pop(member.key, 0.0), (entry.answer.cost_usd or 0.0) if entry else 0.0
        )
        if entry is not None and not entry.problem:
            self._meter.answered(entry.answer)
            self._coming.pop(member.key).set_result(entry.answer)
            return
        if entry is not None:
            self._meter.unusable(entry.answer)
        tries = member.tries + 1
        problem = results.get(member.key)
        error = (
            problem
            if isinstance(problem, CallError)
            else CallError("overload", "the batch ended without an answer to it")
        )
        if error.kind in TRANSIENT and tries <= self._limits.max_retries:
            self._meter.count(retried=1)
            self._fail([member.key], _AskAgain(tries))
        else:
            self._meter.count(failed=1)
            self._fail([member.key], CallFailed(str(error), error.kind, tries))

    def _fail(self, keys: list[str], error: Exception) -> None:
        for key in keys:
            self._waiting.pop(key, None)
            self._budget.settle(self._held.pop(key, 0.0), 0.0)
            self._coming.pop(key).set_exception(error)

    def _fail_all(self, error: CallError | UserError, what: str) -> None:
        """End the run: everybody is told; batches on their way are collected by the next run."""
        if isinstance(error, CallError):
            fatal = error.kind not in TRANSIENT
            ending: Exception = (
                UserError(f"{what}: {error}")
                if fatal
                else RunStopped("batch", f"{what}: {error}; run again to go on")
            )
        else:
            ending = error
        self._fail(list(self._coming), ending)
