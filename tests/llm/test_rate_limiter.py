"""The limiter against a provider that counts a sliding minute, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from tasks.fingerprint import unit
from tasks.llm.errors import CallError, RunStopped
from tasks.llm.rate_limiter import AdaptiveConcurrency, RateLimiter, TokenBucket
from tasks.settings import Limits
from tests.support.allowance import SlidingWindow
from tests.support.virtual_time import run_virtually

WARM_UP_S, END_S = 60.0, 660.0


@dataclass
class Seen:
    """What a provider admitted and refused after the warm-up."""

    admitted: int = 0
    refused: int = 0
    tokens: int = 0


def drive(
    limits: Limits,
    *,
    mean_tokens: int,
    latency_s: float,
    reserve: int = 0,
    rpm: int = 300,
    tpm: int = 200_000,
) -> Seen:
    """Send calls for eleven minutes; the provider reserves `reserve` tokens more than are used."""

    async def main() -> Seen:
        loop, seen = asyncio.get_running_loop(), Seen()
        limiter = RateLimiter(limits, loop.time)
        by_request, by_token = SlidingWindow(rpm), SlidingWindow(tpm)
        known: list[int] = []

        async def one(number: int) -> None:
            used = int(mean_tokens * (0.5 + unit(1, number)))
            expected = sum(known) / len(known) if len(known) > 5 else 2 * mean_tokens
            for _ in range(20):
                slot = await limiter.acquire(expected)
                now = loop.time()
                if now > END_S:
                    limiter.release(slot, None)
                    return
                counts = now >= WARM_UP_S
                if by_request.fits(1, now) and by_token.fits(used + reserve, now):
                    by_request.admit(1, now)
                    by_token.admit(used + reserve, now)
                    seen.admitted += counts
                    seen.tokens += used * counts
                    await asyncio.sleep(latency_s * (0.5 + unit(2, number)))
                    known.append(used)
                    limiter.succeeded()
                    limiter.release(slot, used)
                    return
                seen.refused += counts
                limiter.failed(slot, CallError("rate", "429", 429))
                limiter.release(slot, None)
                await asyncio.sleep(unit(3, number) * 2)

        await asyncio.gather(*(one(number) for number in range(6000)))
        return seen

    return run_virtually(main())


@pytest.mark.parametrize("latency_s", [0.2, 3.0, 15.0])
def test_requests_a_minute_are_used_to_nine_tenths_and_hardly_refused(latency_s: float) -> None:
    seen = drive(
        Limits(rpm=300, tpm=200_000, concurrency=256), mean_tokens=300, latency_s=latency_s
    )
    minutes = (END_S - WARM_UP_S) / 60
    assert seen.admitted / minutes >= 0.9 * 300
    assert seen.refused <= 0.05 * (seen.admitted + seen.refused)


@pytest.mark.parametrize("latency_s", [0.2, 3.0, 15.0])
def test_tokens_a_minute_are_used_to_nine_tenths_and_hardly_refused(latency_s: float) -> None:
    seen = drive(
        Limits(rpm=300, tpm=200_000, concurrency=256), mean_tokens=1500, latency_s=latency_s
    )
    minutes = (END_S - WARM_UP_S) / 60
    assert seen.tokens / minutes >= 0.9 * 200_000
    assert seen.refused <= 0.05 * (seen.admitted + seen.refused)


@pytest.mark.parametrize(
    ("latency_s", "mean_tokens", "reserve"),
    [(0.2, 400, 2048), (5.0, 1500, 1000), (15.0, 1500, 1000)],
)
def test_a_provider_that_counts_max_tokens_is_detected_and_not_overloaded(
    latency_s: float, mean_tokens: int, reserve: int
) -> None:
    """It reserves more tokens for a call than the call uses, so it allows fewer calls."""
    seen = drive(
        Limits(rpm=300, tpm=200_000, concurrency=256),
        mean_tokens=mean_tokens,
        latency_s=latency_s,
        reserve=reserve,
    )
    minutes = (END_S - WARM_UP_S) / 60
    assert seen.admitted / minutes >= 0.9 * 200_000 / (mean_tokens + reserve)
    assert seen.refused <= 0.05 * (seen.admitted + seen.refused)


def test_a_bucket_paces_and_pays_off_debt() -> None:
    bucket = TokenBucket(60, now=0.0)  # one a second, times the margin
    bucket.take(1, 0.0)
    assert bucket.wait_s(1, 0.0) == pytest.approx(1 / 0.97)
    bucket.take(2, 0.0)
    assert bucket.wait_s(1, 0.0) == pytest.approx(3 / 0.97)
    assert bucket.wait_s(1, 10.0) == 0
    assert TokenBucket(None, 0.0).wait_s(1e9, 0.0) == 0


def test_a_request_larger_than_the_bucket_gets_through() -> None:
    bucket = TokenBucket(600, now=0.0)  # holds 10
    assert bucket.wait_s(5000, 0.0) == 0
    bucket.take(5000, 0.0)
    assert bucket.wait_s(1, 0.0) > 400


def test_the_window_halves_once_for_calls_that_fail_together_and_recovers() -> None:
    window = AdaptiveConcurrency(100)
    window.in_flight = 64
    window.shrink(started=1.0, now=2.0)
    assert int(window.size) == 32
    window.shrink(started=1.5, now=2.1)  # began before the cut: the same together
    assert int(window.size) == 32
    window.shrink(started=2.2, now=2.3)
    assert int(window.size) == 16
    for _ in range(16):
        window.grow()
    assert 20 <= window.size <= 22  # a twentieth of the ceiling a round
    for _ in range(10_000):
        window.grow()
    assert window.size == 100


def test_retry_after_delays_every_call() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(Limits(concurrency=4), loop.time)
        slot = await limiter.acquire(10)
        limiter.failed(slot, CallError("rate", "slow down", 429, retry_after_s=7.5))
        limiter.release(slot, None)
        await limiter.acquire(10)
        return loop.time()

    assert run_virtually(main()) == pytest.approx(7.5, abs=0.01)


def test_the_breaker_ends_a_run_and_counts_calls_that_fail_together_once() -> None:
    async def main() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(Limits(concurrency=256, breaker_failures=8), loop.time)
        together = [await limiter.acquire(1) for _ in range(64)]
        await asyncio.sleep(1)
        for slot in together:  # a short fault: all that is in flight fails
            limiter.failed(slot, CallError("connection", "reset"))
            limiter.release(slot, None)
        assert limiter.breaker.failures_in_a_row == 1
        tries = 0
        while True:
            slot = await limiter.acquire(1)
            tries += 1
            await asyncio.sleep(0.01)
            limiter.release(slot, None)
            try:
                limiter.failed(slot, CallError("connection", "reset"))
            except RunStopped as stopped:
                assert stopped.reason == "breaker"
                return tries, loop.time()

    tries, seconds = run_virtually(main())
    assert tries == 7
    assert seconds > 3  # it waited between tries: 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s


def test_a_success_resets_the_breaker() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(Limits(concurrency=4, breaker_failures=3), loop.time)
        for _ in range(20):
            for outcome in ("failed", "failed", "succeeded"):
                slot = await limiter.acquire(1)
                await asyncio.sleep(0.01)
                limiter.release(slot, None)
                if outcome == "failed":
                    limiter.failed(slot, CallError("overload", "x", 503))
                else:
                    limiter.succeeded()

    run_virtually(main())


def test_closing_wakes_every_waiting_call() -> None:
    async def main() -> list[BaseException | object]:
        limiter = RateLimiter(Limits(concurrency=1), asyncio.get_running_loop().time)
        await limiter.acquire(1)
        waiting = [asyncio.create_task(limiter.acquire(1)) for _ in range(5)]
        await asyncio.sleep(1)
        limiter.close(RunStopped("budget", "spent"))
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    assert [getattr(error, "reason", None) for error in run_virtually(main())] == ["budget"] * 5


def test_a_retry_after_of_hours_is_waited_for_as_long_as_the_user_allows() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(Limits(max_wait_s=60), loop.time)
        slot = await limiter.acquire(1)
        limiter.failed(slot, CallError("rate", "quota", 429, retry_after_s=86_400))
        limiter.release(slot, 0)
        paused = limiter.paused_s
        slot = await limiter.acquire(1)
        went_on_at = loop.time()
        limiter.succeeded()
        # A new pause, not the end.
        limiter.failed(slot, CallError("rate", "quota", 429, retry_after_s=86_400))
        return paused, went_on_at

    assert run_virtually(main()) == (60, 60)


def test_a_second_refusal_after_the_longest_pause_ends_the_run_and_says_until_when() -> None:
    async def main() -> None:
        limiter = RateLimiter(Limits(max_wait_s=60), asyncio.get_running_loop().time)
        for attempt in range(2):
            slot = await limiter.acquire(1)
            error = CallError("rate", "quota", 429, retry_after_s=10**12)
            if attempt == 0:
                limiter.failed(slot, error)
                limiter.release(slot, 0)
                continue
            with pytest.raises(
                RunStopped,
                match=r"wait until 20\d\d-.* UTC, longer than generate.limits.max_wait_s \(60 s\)",
            ):
                limiter.failed(slot, error)

    run_virtually(main())


def test_calls_that_are_refused_together_are_one_refusal() -> None:
    async def main() -> float:
        limiter = RateLimiter(Limits(max_wait_s=60), asyncio.get_running_loop().time)
        together = [await limiter.acquire(1) for _ in range(5)]
        for slot in together:
            limiter.failed(slot, CallError("rate", "quota", 429, retry_after_s=86_400))
        return limiter.paused_s

    assert run_virtually(main()) == 60


def test_a_wait_before_another_try_ends_with_the_run() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(Limits(), loop.time)
        loop.call_later(3, limiter.close, RunStopped("signal", "stopped"))
        with pytest.raises(RunStopped, match="stopped"):
            await limiter.sleep(600)
        return loop.time()

    assert run_virtually(main()) == 3
