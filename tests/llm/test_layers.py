"""The layers between a rollout and the client: what each guarantees, whatever is inside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.llm import (
    Answer,
    Budget,
    CallError,
    Entry,
    KnownAnswers,
    RunStopped,
    UsageMeter,
    WriteAheadLog,
    read_journal,
)
from tasks.llm.answer_watch import AnswerWatch
from tasks.llm.layers import CacheLayer, Call, LimitLayer, RetryLayer, WriteAheadLayer
from tasks.llm.prices import Price
from tasks.llm.rate_limiter import RateLimiter
from tasks.llm.session import Session
from tasks.llm.usage import Forecast
from tasks.llm.values import Request
from tasks.settings import Generate, Limits
from tests.support.made_up_answers import made_up_answer
from tests.support.model_process import ModelServer

Inner = Callable[[Call], Awaitable[Answer]]
PRICE = Price(1e-3, 1e-3, "settings")
REQUEST = Request("openai/x", ({"role": "user", "content": "Write a dialogue."},))
MESSAGES = ({"role": "user", "content": "Write a dialogue."},)


def call_in(folder: Path) -> Call:
    journal = WriteAheadLog(folder / "a.jsonl")
    return Call(REQUEST, REQUEST.key, "d", 1, journal)


def limit_layer(inner: Inner, budget: Budget, limiter: RateLimiter) -> LimitLayer:
    return LimitLayer(inner, limiter, budget, Forecast(), PRICE, UsageMeter())


async def answered(call: Call) -> Answer:
    return made_up_answer(call.key)


def test_a_call_is_in_flight_until_its_answer_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        call, limiter, budget = call_in(tmp_path), RateLimiter(Limits()), Budget(10.0)
        write, may_write = call.journal.append, asyncio.Event()

        async def delayed(entry: object) -> None:
            await may_write.wait()
            await write(entry)  # type: ignore[arg-type]

        monkeypatch.setattr(call.journal, "append", delayed)
        layer = limit_layer(WriteAheadLayer(answered, "run", UsageMeter()), budget, limiter)
        asking = asyncio.create_task(layer(call))
        while not limiter.window.in_flight:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert (limiter.window.in_flight, asking.done(), budget.reserved > 0) == (1, False, True)
        may_write.set()
        await asking
        assert (limiter.window.in_flight, budget.reserved, budget.spent) == (0, 0, 0.5)
        await call.journal.close()

    asyncio.run(main())


def test_a_request_that_waits_for_its_next_try_holds_neither_money_nor_a_slot(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        call, limiter, budget = call_in(tmp_path), RateLimiter(Limits()), Budget(10.0)
        tries: list[int] = []

        async def fail_once(call: Call) -> Answer:
            tries.append(call.retries)
            if len(tries) == 1:
                raise CallError("rate", "slow down", 429, retry_after_s=0.2)
            return made_up_answer(call.key)

        limited = limit_layer(fail_once, budget, limiter)
        retry = RetryLayer(limited, Generate(), limiter, UsageMeter(), AnswerWatch(8))
        asking = asyncio.create_task(retry(call))
        while not tries:
            await asyncio.sleep(0)
        assert (limiter.window.in_flight, budget.reserved, budget.spent) == (0, 0, 0)
        await asking
        assert tries == [0, 1]
        await call.journal.close()

    asyncio.run(main())


@pytest.mark.parametrize("ending", [UserError("the journal cannot be written"), ValueError("odd")])
def test_a_sent_call_with_an_unknown_outcome_counts_as_spent(
    tmp_path: Path, ending: Exception
) -> None:
    async def fail(_: Call) -> Answer:
        raise ending

    async def main() -> None:
        call, limiter, budget = call_in(tmp_path), RateLimiter(Limits()), Budget(10.0)
        with pytest.raises(type(ending)):
            await limit_layer(fail, budget, limiter)(call)
        assert budget.reserved == 0 and budget.spent > 0
        await call.journal.close()

    asyncio.run(main())


def test_a_call_that_is_stopped_before_it_is_sent_costs_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        call, limiter, budget = call_in(tmp_path), RateLimiter(Limits()), Budget(10.0)
        limiter.close(RunStopped("signal", "stopped"))
        with pytest.raises(RunStopped):
            await limit_layer(answered, budget, limiter)(call)
        assert (budget.reserved, budget.spent, limiter.window.in_flight) == (0, 0, 0)
        await call.journal.close()

    asyncio.run(main())


def test_a_failed_call_that_is_billed_is_logged_and_counted(tmp_path: Path) -> None:
    async def main() -> None:
        call, meter = call_in(tmp_path), UsageMeter()
        bill = made_up_answer(call.key, "")

        async def fail(_: Call) -> Answer:
            error = CallError("malformed", "not JSON", 200, billed=True)
            error.unusable = bill
            raise error

        with pytest.raises(CallError):
            await WriteAheadLayer(fail, "run", meter)(call)
        await call.journal.close()
        (entry,) = read_journal(call.journal.path)
        assert entry == Entry(bill, "d", 1, "run", problem="malformed")
        assert (meter.usage.unusable, meter.usage.answered) == (1, 0)

    asyncio.run(main())


def test_a_cached_answer_and_a_request_in_flight_ask_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        call, asked = call_in(tmp_path), []

        async def slow(call: Call) -> Answer:
            asked.append(call)
            await asyncio.sleep(0.01)
            return made_up_answer(call.key, "new")

        known = made_up_answer("b" * 64, "cached")
        layer = CacheLayer(slow, KnownAnswers({known.request_key: known}), UsageMeter())
        assert await layer(replace(call, key=known.request_key)) == known
        answers = await asyncio.gather(*(layer(call) for _ in range(5)))
        assert {answer.text for answer in answers} == {"new"} and len(asked) == 1
        await call.journal.close()

    asyncio.run(main())


def test_the_bill_of_the_reply_that_opens_the_breaker_is_logged(
    server: ModelServer, tmp_path: Path
) -> None:
    """The failure that ends the run is billed as those before it are."""
    server.behave(faults={"malformed": 1.0})
    limits = {"breaker_failures": 1, "timeout_s": 30}
    generate = Generate(model="openai/gpt-4o-mini", api_base=server.address, limits=limits)

    async def main() -> Path:
        session = Session(generate, KnownAnswers({}), Budget(None), "run")
        journal = WriteAheadLog(tmp_path / f"{time.time_ns()}.jsonl")
        try:
            with pytest.raises(RunStopped, match="failures in a row"):
                await session.ask_for("d", 1, journal)(MESSAGES)
        finally:
            await journal.close()
        return journal.path

    path = asyncio.run(main())
    assert path.exists()
    (entry,) = read_journal(path)
    assert isinstance(entry, Entry) and entry.problem == "malformed"
