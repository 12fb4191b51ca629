"""Gathers calls into batches and hands out their answers, perhaps in a later process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.llm.answer_watch import AnswerWatch, Useless
from tasks.llm.batch.client import BatchClient
from tasks.llm.batch.endings import adaptable, billed_entries, reason_to_end
from tasks.llm.batch.token_room import TokenRoom
from tasks.llm.batch.transfer import (
    BatchRefused,
    BatchState,
    BatchTransfer,
    Collected,
    EnqueuedLimit,
    Member,
    load_states,
)
from tasks.llm.batch.waiting import AskAgain, NotTaken, WaitingRequest, reason_of
from tasks.llm.billing import UNKNOWN, Expected
from tasks.llm.budget import Budget
from tasks.llm.errors import TRANSIENT, CallError, RunStopped, may_ask_again
from tasks.llm.journal import Entry
from tasks.llm.layers import Call, problem_of_prompt
from tasks.llm.provider_reply import Reply
from tasks.llm.refused_parameters import ParameterRefused
from tasks.llm.usage import Forecast, UsageMeter
from tasks.llm.values import Answer, Request
from tasks.settings import Limits

QUIET_S = 1.0  # a batch is sent when no call has come for so long
MAX_REQUESTS, MAX_BYTES = 50_000, 150_000_000  # of one batch file, below what OpenAI takes

Results = Mapping[str, Reply | CallError]


class BatchQueue:
    """Gathers calls into batches, sends each once, and returns answers that are in a journal.

    It is called as a `Layer` is. It has its own retries, budget reservations and journal, because
    a batch is sent, paid for and collected as a whole.
    """

    def __init__(
        self,
        client: BatchClient,
        limits: Limits,
        budget: Budget,
        meter: UsageMeter,
        folder: Path,
        run_id: str,
        watch: AnswerWatch,
    ) -> None:
        """Take up the batches that an earlier process sent and did not collect."""
        self._client, self._limits, self._budget = client, limits, budget
        self._meter, self._run_id, self._watch = meter, run_id, watch
        self._transfer = BatchTransfer(client, folder, limits.breaker_failures)
        self._forecast = Forecast()
        self._waiting: dict[str, WaitingRequest] = {}
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._reserved: dict[str, float] = {}
        self._expected: dict[str, Expected] = {}
        self._requests: dict[str, Request] = {}  # those that a call waits for
        self._stopped: RunStopped | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gathering = False
        self._room = TokenRoom(limits.batch_tokens)
        for state in load_states(folder, client.model):
            for member in state.members:
                self._expect_answer(member.key)
            self._start_following(state, tokens=0.0)

    async def __call__(self, call: Call) -> Answer:
        """Return the answer to a call once its batch is collected.

        Raises:
            CallFailed: the provider did not answer it in any of the batches it was in.
            ParameterRefused: the provider would take it without a parameter.
            RunStopped: the budget is spent, the provider is down, or nearly all answers of a batch
                are of no use; batches that were sent are collected by the next run.
            UserError: the provider refuses the batch as a whole.
        """
        key, tries = call.key, 0
        while True:
            # The answer may come in a batch of an earlier run, whose forecast is lost.
            self._expected.setdefault(key, Expected.of(call.request, self._forecast))
            self._requests[key] = call.request
            if key not in self._answers:
                self._queue(call.request, Member(key, call.dialogue_id, call.attempt, tries))
            try:
                return await asyncio.shield(self._answers[key])
            except AskAgain as again:
                tries = again.tries
            except NotTaken as failed:
                raise self._reason(failed, call.request) from None
            finally:
                self._requests.pop(key, None)

    def _reason(self, failed: NotTaken, request: Request) -> Exception:
        """Return what a request that is not asked again as it is ends with, and count it."""
        reason = reason_of(failed, request, self._client.model)
        if isinstance(reason, ParameterRefused):
            return self._stopped or reason
        self._meter.count(failed=1)
        return reason

    def close(self) -> None:
        """Stop waiting; batches that were sent are collected by the next run."""
        for task in self._tasks:
            task.cancel()

    def _queue(self, request: Request, member: Member) -> None:
        expected = Expected.of(request, self._forecast)
        dollars = expected.dollars(self._client.price)
        self._expect_answer(member.key)
        self._waiting[member.key] = WaitingRequest(request, member, expected, dollars)
        if not self._gathering:
            self._gathering = True
            self._spawn(self._gather())

    def _expect_answer(self, key: str) -> None:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # Reads the exception: perhaps no call waits for what an earlier run sent, and asyncio
        # would report it as never retrieved.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._answers[key] = future

    def _start_following(self, state: BatchState, tokens: float) -> None:
        """Count a batch as out and collect it; `tokens` are its input tokens by our forecast."""
        self._room.take(state.label, tokens)
        self._spawn(self._follow(state))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gather(self) -> None:
        """Send what waits once no more calls come."""
        before = -1
        while before != len(self._waiting):
            before = len(self._waiting)
            await asyncio.sleep(QUIET_S)
        self._gathering = False
        await self._send_waiting()

    async def _send_waiting(self) -> None:
        """Send what waits, in as many batches as it takes and the budget allows."""
        while self._waiting:
            lines = self._reserve_batch()
            if not lines:
                # While a batch is out, its return settles what it cost and tries again.
                if self._waiting and not self._reserved and not self._room.out:
                    dollars = next(iter(self._waiting.values())).dollars
                    refusal = RunStopped("budget", self._budget.refusal(dollars))
                    self._fail(list(self._waiting), refusal)
                return
            members = tuple(self._waiting.pop(key).member for key in lines)
            tokens = sum(self._expected[key].prompt_tokens for key in lines)
            try:
                state = await self._transfer.send(members, lines.values())
            except EnqueuedLimit as refusal:
                self._too_many_tokens(members, tokens, str(refusal))
                return
            except (CallError, UserError) as error:
                self._fail_all(error, "no batch could be sent")
                return
            self._meter.count(sent=len(members))
            self._start_following(state, tokens)

    def _reserve_batch(self) -> dict[str, bytes]:
        """Reserve the budget of the next batch and return its lines by request key.

        None are returned where nothing more may be sent before a batch that is out returns.
        """
        lines: dict[str, bytes] = {}
        size, tokens = 0, 0.0
        for key, waiting in list(self._waiting.items()):
            try:
                line = self._client.line(waiting.request, key)
            except CallError as error:
                self._fail([key], NotTaken(error, tries=1))
                continue
            size += len(line) + 1
            tokens += waiting.expected.prompt_tokens
            full = len(lines) >= MAX_REQUESTS or size > MAX_BYTES or not self._room.fits(tokens)
            alone = not lines and not self._room.out  # may be larger than any limit of ours
            if (full and not alone) or not self._budget.try_reserve(waiting.dollars):
                break
            self._reserved[key] = waiting.dollars
            self._expected[key] = waiting.expected
            lines[key] = line
        return lines

    async def _follow(self, state: BatchState) -> None:
        """Collect a batch, log its answers, hand them out, and send what waits by then."""
        try:
            collected = await self._transfer.collect(state)
            if collected is None:
                self._fail([member.key for member in state.members], AskAgain(0))
                return
            state = collected.state
            entries = billed_entries(collected, self._expected, self._client, self._run_id)
            await self._transfer.keep(state, list(entries.values()))
        except EnqueuedLimit as refusal:
            tokens = sum(self._expected_of(member).prompt_tokens for member in state.members)
            self._room.release(state.label)
            self._too_many_tokens(state.members, tokens, str(refusal))
            return
        except BatchRefused as refusal:
            self._refused(state, str(refusal))
            return
        except (CallError, UserError, RunStopped) as error:
            self._fail_all(error, f"batch {state.batch_id or state.label} cannot be collected")
            return
        finally:
            self._room.release(state.label)
        self._hand_out_all(collected, entries)
        if self._waiting and not self._gathering:
            await self._send_waiting()

    def _hand_out_all(self, collected: Collected, entries: Mapping[str, Entry]) -> None:
        """Wake every call of a batch; end the run where its requests show that none can succeed."""
        state, results = collected.state, collected.results
        reason = reason_to_end(
            collected,
            self._client.model,
            too_many_invalid=self._limits.breaker_failures,
            answered=self._meter.usage.answered,
            adaptable=adaptable(results, self._requests),
        )
        stopped = self._stop_reason(entries, results)
        self._stopped = self._stopped or stopped
        for member in state.members:
            entry = entries.get(member.key)
            if reason is not None and (entry is None or entry.problem):
                continue
            self._hand_out(member, entry, results.get(member.key), collected.ended, stopped)
        if reason is not None:
            self._fail_all(reason, f"batch {state.batch_id}")
        elif stopped is not None:
            self._fail(list(self._waiting), stopped)

    def _stop_reason(self, entries: Mapping[str, Entry], results: Results) -> RunStopped | None:
        """Return why no further batch is sent after one with these answers; None if one may be."""
        useless = [self._useless(entry, results.get(key)) for key, entry in entries.items()]
        try:
            self._watch.check_batch([one for one in useless if one is not None], len(entries))
        except RunStopped as reason:
            return reason
        return None

    def _useless(self, entry: Entry, result: Reply | CallError | None) -> Useless | None:
        if isinstance(result, CallError):
            return Useless(result.message)
        request = self._requests.get(entry.answer.request_key)
        cut = problem_of_prompt(request, entry.answer) if request else ""
        return Useless(cut, entry.answer.text) if cut else self._watch.problem_of(entry.answer)

    def _expected_of(self, member: Member) -> Expected:
        return self._expected.get(member.key, UNKNOWN)

    def _too_many_tokens(self, members: Sequence[Member], tokens: float, refusal: str) -> None:
        """Put a refused batch's requests back in the queue, to be sent in smaller batches."""
        alone = len(members) == 1 and not self._room.out
        self._room.learn(refusal, tokens)
        if alone:
            self._fail_all(
                RunStopped(
                    "batch",
                    f"the provider lets no more tokens wait in batches ({refusal}): "
                    "run again when other batches of the account have ended",
                ),
                "",
            )
            return
        for member in members:
            self._fail([member.key], AskAgain(member.tries))

    def _refused(self, state: BatchState, reason: str) -> None:
        """Send a refused batch's requests again without what it is refused for, or end the run."""
        error = CallError("invalid", reason, 400)
        keys = [member.key for member in state.members]
        if adaptable(dict.fromkeys(keys, error), self._requests).issuperset(keys):
            self._fail(keys, NotTaken(error, tries=1))
            return
        self._fail_all(UserError(f"the provider refuses the batch: {reason}"), "")

    def _hand_out(
        self,
        member: Member,
        entry: Entry | None,
        result: Reply | CallError | None,
        ended: str,
        stopped: RunStopped | None,
    ) -> None:
        """Settle a request's reservation and wake the call that waits for its answer.

        A call that would be asked once more gets `stopped` where the run must end.
        """
        spent = (entry.answer.cost_usd or 0.0) if entry else 0.0
        self._budget.settle(self._reserved.pop(member.key, 0.0), spent)
        if entry is not None and not entry.problem:
            self._meter.answered(entry.answer)
            self._answers.pop(member.key).set_result(entry.answer)
            return
        if entry is not None:
            self._meter.unusable(entry.answer)
        error = result
        if not isinstance(error, CallError):
            how = ended if ended != "completed" else "ended"
            error = CallError("overload", f"the batch {how} without an answer to it")
        tries = member.tries + 1
        if may_ask_again(error.kind, tries, self._limits.max_retries):
            if stopped is not None:
                self._fail([member.key], stopped)
                return
            self._meter.count(retried=1)
            self._fail([member.key], AskAgain(tries))
        else:
            self._fail([member.key], NotTaken(error, tries))

    def _fail(self, keys: list[str], error: Exception) -> None:
        for key in keys:
            self._waiting.pop(key, None)
            self._budget.settle(self._reserved.pop(key, 0.0), 0.0)
            self._answers.pop(key).set_exception(error)

    def _fail_all(self, error: CallError | UserError | RunStopped, what: str) -> None:
        """End the run for every call; batches that were sent are collected by the next run."""
        reason: UserError | RunStopped
        if isinstance(error, UserError | RunStopped):
            reason = error
        elif error.kind in TRANSIENT:
            reason = RunStopped("batch", f"{what}: {error}; run again to go on")
        else:
            reason = UserError(f"{what}: {error}")
        self._fail(list(self._answers), reason)
