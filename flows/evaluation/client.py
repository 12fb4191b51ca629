"""How evaluations ask a model: with the build's limits and budget, and a store of their own."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from flows.progress import CURRENT
from flows.run_states import EndedEarly
from tasks.errors import UserError
from tasks.evaluation import Asked, Watch, rank_by_server
from tasks.evaluation.finetune import LocalModel
from tasks.llm import (
    Answer,
    Ask,
    Budget,
    CallFailed,
    Entry,
    Loaded,
    Message,
    Request,
    RunStopped,
    Session,
    StoredAnswers,
    Usage,
    UsageMeter,
    WriteAheadLog,
    graceful_shutdown,
    journal_problems,
    load_journal,
    recover_journals,
)
from tasks.settings import Generate, Home, Limits
from tasks.warehouse import domain_lock, open_warehouse, transaction

STORE = "_evaluation"  # no domain can be called so


class Asking:
    """Models to ask in one evaluation, and what was used so far."""

    def __init__(
        self, lookup: StoredAnswers, journal: WriteAheadLog, run_id: str, budget_usd: float | None
    ) -> None:
        """Keep what every model shares."""
        self._lookup, self._journal, self._run_id = lookup, journal, run_id
        self._budget = Budget(budget_usd)
        self._meters: list[UsageMeter] = []
        self._failures: list[tuple[str, UsageMeter, list[CallFailed]]] = []
        self._sessions: list[Session] = []
        self._stop = _Stop()

    def of(self, generate: Generate) -> Callable[[str], Watched]:
        """Return the way to one model: for a question's id an `Ask`.

        Raises UserError when it cannot be asked at all.
        """
        session = Session(generate, self._lookup, self._budget, self._run_id)
        failures: list[CallFailed] = []
        self._sessions.append(session)
        self._meters.append(session.meter)
        self._failures.append((generate.model, session.meter, failures))
        return lambda question: Watched(session.ask_for(question, 1, self._journal), failures)

    def stop(self, reason: RunStopped) -> None:
        """Let nothing more be sent to any model; calls in flight run to their end.

        What a local model is writing is dropped: it costs nothing.
        """
        self._stop.set(reason)
        for session in self._sessions:
            session.stop(reason)

    def check_answered(self) -> None:
        """Raise UserError when a model that was asked answered nothing at all.

        A table of zeros would pass for a finding.
        """
        for model, meter, failures in self._failures:
            if failures and not meter.usage.answered + meter.usage.stored:
                raise UserError(
                    f"{model} answered none of {len(failures):,} questions; the last time: "
                    f"{failures[-1]}"
                )

    def local(self, model: LocalModel) -> Callable[[str], Local]:
        """Return the way to a local model, through the same store and journal."""
        meter = UsageMeter()
        self._meters.append(meter)
        return lambda question: Local(
            model, question, self._lookup, self._journal, meter, self._run_id, self._stop
        )

    @property
    def usage(self) -> Usage:
        """What was used so far, over all models."""
        return sum((meter.usage for meter in self._meters), Usage())


def watching(model: str) -> Watch:
    """Return what shows how many of a model's questions are answered, and how they ended."""
    sink = CURRENT.get()

    def watch(asked: Asked) -> None:
        parts = []
        if asked.unanswered:
            parts.append(f"{asked.unanswered:,} without an answer")
        if asked.cut_off:
            parts.append(f"{asked.cut_off:,} cut off at the most tokens")
        sink.advance(model, asked.done, asked.total, ", ".join(parts))
        if asked.done == asked.total and parts:
            sink.stage(f"{model} asked", "done", ", ".join(parts))

    return watch


class _Stop:
    """Whether the evaluation has to stop, and why."""

    def __init__(self) -> None:
        self._reason: RunStopped | None = None
        self._event = asyncio.Event()

    def set(self, reason: RunStopped) -> None:
        self._reason = reason
        self._event.set()

    async def cancels(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what a call returns. Raises RunStopped, and cancels it, once there is a reason."""
        answering = asyncio.create_task(call)
        stopping = asyncio.create_task(self._event.wait())
        try:
            await asyncio.wait({answering, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._reason is not None:
                raise self._reason
            return await answering
        finally:
            answering.cancel()
            stopping.cancel()


@dataclass(frozen=True)
class Watched:
    """An `Ask` whose failures are noted."""

    ask: Ask
    failures: list[CallFailed]

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the answer to messages. Raises what the `Ask` does."""
        try:
            return await self.ask(messages, response_format=response_format, attempt=attempt)
        except CallFailed as error:
            self.failures.append(error)
            raise

    async def rank(
        self, messages: tuple[Message, ...], texts: Sequence[str], *, most: int
    ) -> Answer:
        """Return which of some texts the model finds likeliest as its answer."""
        return await rank_by_server(self, messages, texts, most=most)


@dataclass(frozen=True)
class Local:
    """The way to a local model for one question: the store first, every answer in the journal."""

    model: LocalModel
    question: str
    lookup: StoredAnswers
    journal: WriteAheadLog
    meter: UsageMeter
    run_id: str
    stop: _Stop

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the model's answer to messages."""
        request = self.model.request(messages, response_format, attempt)
        return await self._kept(
            request,
            lambda: self.model(messages, response_format=response_format, attempt=attempt),
        )

    async def rank(
        self, messages: tuple[Message, ...], texts: Sequence[str], *, most: int
    ) -> Answer:
        """Return which of some texts the model finds likeliest as its answer."""
        request = self.model.ranking_request(messages, texts)
        return await self._kept(request, lambda: self.model.rank(messages, texts, most=most))

    async def write_list(
        self, messages: tuple[Message, ...], titles: Sequence[str], *, most: int
    ) -> Answer:
        """Return a list of some titles that the model writes."""
        request = self.model.list_request(messages, titles, most)
        return await self._kept(request, lambda: self.model.write_list(messages, titles, most=most))

    async def _kept(
        self, request: Request, call: Callable[[], Coroutine[Any, Any, Answer]]
    ) -> Answer:
        stored = await self.lookup.get(request.key)
        if stored is not None:
            self.meter.count(stored=1)
            return stored
        answer = await self.stop.cancels(call())
        await self.journal.append(Entry(answer, self.question, request.attempt, self.run_id))
        self.meter.answered(answer)
        return answer


@asynccontextmanager
async def asking(home: Home, run_id: str, budget_usd: float | None = None) -> AsyncIterator[Asking]:
    """Open the store of evaluations for the length of the block.

    What an earlier run left in its journals is loaded first, this run's answers at the end.

    Args:
        home: its data folder holds the store.
        run_id: written beside each answer.
        budget_usd: what all models together may cost.

    Raises:
        UserError: another evaluation is running in this data folder, it cannot be written, or the
            run had to stop.
    """
    folder = home.journals(STORE)
    with domain_lock(home, STORE), open_warehouse(home.warehouse(STORE)) as con:
        loaded = recover_journals(con, folder)
        path = folder / f"{time.time_ns()}-{uuid.uuid4().hex[:8]}.jsonl"
        journal = WriteAheadLog(path)
        models = Asking(StoredAnswers.of(con), journal, run_id, budget_usd)
        try:
            async with graceful_shutdown(models.stop, Limits().shutdown_grace_s):
                yield models
        except RunStopped as stopped:
            ending = f"{stopped}; what was answered is kept"
            raise EndedEarly(stopped.reason, ending) from None
        finally:
            await journal.close()  # removes it if this run answered nothing
            if path.exists():
                with transaction(con):
                    loaded += load_journal(con, path)
                path.unlink()
            _show_set_aside(loaded, models.usage)


def _show_set_aside(loaded: Loaded, usage: Usage) -> None:
    """Show what was paid for and cannot be used, where there is any."""
    problems = journal_problems(loaded.quarantined, loaded.torn)
    if usage.unusable:
        problems.append(f"{usage.unusable:,} billed answers could not be used")
    if problems:
        CURRENT.get().stage("set aside", "done", "; ".join(problems))
