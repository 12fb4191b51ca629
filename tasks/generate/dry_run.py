"""Runs rollouts without a model: the mock model answers, and every call's tokens are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tasks.fingerprint import fingerprint
from tasks.llm import OFFLINE, Answer, Message, Request, ResponseCache, TokenCounter, make_request
from tasks.mock_model import Written, write
from tasks.settings import Generate


@dataclass
class DryRunCounts:
    """Calls and tokens of one dialogue.

    Attributes:
        calls, input, output: of requests whose answers are not stored.
        stored: requests whose answers are.
        paid_input, paid_output: tokens that stored answers really used.
        guessed_input, guessed_output: tokens that a dry run of the same requests counts.
    """

    calls: int = 0
    input: int = 0
    output: int = 0
    stored: int = 0
    paid_input: int = 0
    paid_output: int = 0
    guessed_input: int = 0
    guessed_output: int = 0


@dataclass
class DryRun:
    """What the dry runs of one model share.

    `written` holds the mock model's answers, so that several models share them too.
    """

    settings: Generate
    cache: ResponseCache
    counter: TokenCounter
    written: dict[str, Written] = field(default_factory=dict)

    def write(self, messages: tuple[Message, ...]) -> Written:
        """Return the mock model's answer.

        Where it is the configured model, it has the seed and the fault rates of the settings.
        """
        seed, rates = None, {}
        if self.settings.model.startswith(OFFLINE):
            seed = self.settings.seed
            faults = self.settings.misbehave.model_dump()
            rates = {kind: rate for kind, rate in faults.items() if rate}
        key = fingerprint([[dict(message) for message in messages], rates, seed])
        if key not in self.written:
            self.written[key] = write(messages, seed=seed, misbehave=rates)
        return self.written[key]


class DryRunAsk:
    """The `Ask` of one dialogue's dry run: stored answers are returned, others are made up."""

    def __init__(self, run: DryRun, counts: DryRunCounts) -> None:
        self._run, self._counts = run, counts

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return an answer and count its tokens."""
        request = make_request(self._run.settings, messages, response_format, attempt)
        cached = await self._run.cache.get(request.key)
        written = self._run.write(messages)
        prompt = self._run.counter.messages(messages)
        completion = self._run.counter.text(written.text)
        counts = self._counts
        if cached is not None:
            counts.stored += 1
            counts.paid_input += cached.prompt_tokens
            counts.paid_output += cached.completion_tokens
            counts.guessed_input += prompt
            counts.guessed_output += completion
            return cached
        counts.calls += 1
        counts.input += prompt
        counts.output += completion
        return _made_up_answer(request, written, prompt, completion)


def _made_up_answer(request: Request, written: Written, prompt: int, completion: int) -> Answer:
    return Answer(
        request_key=request.key,
        text=written.text,
        finish_reason=written.finish_reason,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost_usd=None,
        latency_s=0.0,
        model=request.model,
        api_base=None,
        model_returned="dry run",
        provider_id="",
        retries=0,
        asked_at=datetime.now(UTC).isoformat(),
    )
