"""Rehearses rollouts without a model: the embedded writer answers, every request and answer is counted as the model would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tasks.fingerprint import fingerprint
from tasks.llm import OFFLINE, Answer, Message, ResponseCache, TokenCounter, make_request
from tasks.mock_model import Written, write
from tasks.settings import Generate


@dataclass
class Rehearsed:
    """What one dialogue came to.

    `paid` is what stored answers used, `guessed` what the rehearsal would have said of the same
    calls.
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
class Stage:
    """What rehearsals share: the settings, the store, the counter, and what the writer wrote, so that models share it."""

    settings: Generate
    store: ResponseCache
    counter: TokenCounter
    written: dict[str, Written] = field(default_factory=dict)

    def write(self, messages: tuple[Message, ...]) -> Written:
        """Return the embedded writer's answer; where that is the model, with the seed and the faults it is set to."""
        itself = self.settings.model.startswith(OFFLINE)
        rates = {
            kind: rate
            for kind, rate in self.settings.misbehave.model_dump().items()
            if rate and itself
        }
        seed = self.settings.seed if itself else None
        key = fingerprint([[dict(message) for message in messages], rates, seed])
        if key not in self.written:
            self.written[key] = write(messages, seed=seed, misbehave=rates)
        return self.written[key]


class RehearsalAsk:
    """The `Ask` of one dialogue's rehearsal.

    A stored answer is given as it is, anything else is made up and counted.
    """

    def __init__(self, stage: Stage, rehearsed: Rehearsed) -> None:
        self._stage, self._rehearsed = stage, rehearsed

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return an answer and count it."""
        request = make_request(self._stage.settings, messages, response_format, attempt)
        known = await self._stage.store.get(request.key)
        written = self._stage.write(messages)
        prompt, completion = (
            self._stage.counter.messages(messages),
            self._stage.counter.text(written.text),
        )
        counts = self._rehearsed
        if known is not None:
            counts.stored += 1
            counts.paid_input, counts.paid_output = (
                counts.paid_input + known.prompt_tokens,
                counts.paid_output + known.completion_tokens,
            )
            counts.guessed_input, counts.guessed_output = (
                counts.guessed_input + prompt,
                counts.guessed_output + completion,
            )
            return known
        counts.calls, counts.input, counts.output = (
            counts.calls + 1,
            counts.input + prompt,
            counts.output + completion,
        )
        now = datetime.now(UTC).isoformat()
        return Answer(
            request.key,
            written.text,
            written.finish_reason,
            prompt,
            completion,
            None,
            0,
            request.model,
            None,
            "rehearsal",
            "",
            0,
            now,
        )
