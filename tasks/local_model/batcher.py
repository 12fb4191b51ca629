"""Decodes the requests that are in flight at the same time as one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tasks.local_model.decoding import Constraint, Generated, Prompt, Sampling, generate
from tasks.local_model.loading import LocalModel, open_model

MOST_TOGETHER = 16
_GATHERING_S = 0.05  # without a new request, before a batch begins


@dataclass(frozen=True)
class Written:
    """An answer; `cut_off` says that it reached the most tokens allowed."""

    text: str
    cut_off: bool
    prompt_tokens: int
    completion_tokens: int
    model: str


@dataclass(frozen=True)
class _Waiting:
    order: str
    messages: Sequence[Mapping[str, str]]
    constraint: Callable[[LocalModel], Constraint] | None
    sampling: Sampling
    seed: int
    answer: asyncio.Future[Written]


class Batcher:
    """Answers chat messages with one local model, those in flight together in one batch.

    A batch begins when no further request has come for a moment, its rows in the order of their
    keys, so that equal sets of requests give equal batches.
    """

    def __init__(
        self,
        model: str,
        together: int = MOST_TOGETHER,
        opened: Callable[[str], LocalModel] = open_model,
    ) -> None:
        """Take a model string; the weights are loaded at the first request."""
        self._model, self._together, self._opened = model, together, opened
        self._waiting: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def write(
        self,
        messages: Sequence[Mapping[str, str]],
        schema: Mapping[str, Any] | None,
        sampling: Sampling,
        *,
        order: str,
        seed: int,
        constraint: Callable[[LocalModel], Constraint] | None = None,
    ) -> Written:
        """Return the answer to messages; it follows the schema or constraint if there is one.

        `order` places the request in its batch; `seed` is that of its draws.

        Raises:
            UserError: the model cannot be loaded, or the schema makes no grammar.
        """
        future = asyncio.get_running_loop().create_future()
        if schema is not None:
            constraint = partial(_grammar, schema)
        self._waiting.append(_Waiting(order, messages, constraint, sampling, seed, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        answer: Written = await future
        return answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                self._waiting.sort(key=lambda request: request.order)
                batch = [each for each in self._waiting if not each.answer.cancelled()]
                batch, self._waiting = batch[: self._together], batch[self._together :]
                if batch:
                    await self._answer(batch)
        finally:
            self._running = None

    async def _gather(self) -> None:
        seen = -1
        while seen != len(self._waiting) and len(self._waiting) < self._together:
            seen = len(self._waiting)
            await asyncio.sleep(_GATHERING_S)

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        try:
            written = await asyncio.to_thread(self._decode, batch)
        except Exception as error:
            # Whatever it is, it belongs to those who wait for this batch.
            for request in batch:
                if not request.answer.done():
                    request.answer.set_exception(error)
            return
        for request, answer in zip(batch, written, strict=True):
            if not request.answer.done():
                request.answer.set_result(answer)

    def _decode(self, batch: Sequence[_Waiting]) -> list[Written]:
        model = self._opened(self._model)
        prompts = [
            Prompt(
                model.question(request.messages),
                request.sampling,
                request.seed,
                request.constraint(model) if request.constraint else None,
            )
            for request in batch
        ]
        texts = generate(
            model.model,
            prompts,
            end=model.tokenizer.eos_token_id,
            wanted=lambda: not all(request.answer.done() for request in batch),
        )
        return [_written(model, *pair) for pair in zip(prompts, texts, strict=True)]


def _grammar(schema: Mapping[str, Any], model: LocalModel) -> Constraint:
    return model.grammars.of(schema)


def _written(model: LocalModel, prompt: Prompt, text: Generated) -> Written:
    return Written(
        model.text(text.tokens),
        not text.ended,
        len(prompt.tokens),
        len(text.tokens),
        model.name,
    )
