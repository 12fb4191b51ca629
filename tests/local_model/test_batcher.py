"""Requests in flight are decoded together, in an order of their own."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.local_model import Batcher, LocalModel, Sampling, Written
from tests.support.tiny_model import chat, tiny_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llguidance") is None, reason="the extra [local] is not installed"
)
QUESTIONS = ("Why?", "I liked the story", "It is slow", "warm and clever", "Then")


class Counted:
    """A tiny model that counts the rows of the batches it computes."""

    def __init__(self) -> None:
        self._tiny = tiny_model()
        self.batches: list[int] = []

    def opened(self, name: str) -> LocalModel:
        model, batches = self._tiny.model, self.batches

        def count(module: Any, given: Any, named: dict[str, Any]) -> None:
            tokens = named["input_ids"]
            if tokens.shape[1] > 1:
                batches.append(tokens.shape[0])

        model._forward_pre_hooks.clear()
        model._forward_pre_hooks_with_kwargs.clear()
        model.register_forward_pre_hook(count, with_kwargs=True)
        return self._tiny


async def asked(batcher: Batcher, questions: Sequence[str]) -> list[Written]:
    sampling = Sampling(1.0, 1.0, 12)
    return await asyncio.gather(
        *(batcher.write(chat(text), None, sampling, order=text, seed=7) for text in questions)
    )


async def test_what_is_in_flight_is_one_batch() -> None:
    counted = Counted()
    batcher = Batcher("tiny", together=4, opened=counted.opened)
    answers = await asked(batcher, QUESTIONS)
    assert counted.batches == [4, 1]
    assert [answer.prompt_tokens > 0 for answer in answers] == [True] * 5
    again = await asked(Batcher("tiny", together=4, opened=counted.opened), QUESTIONS[::-1])
    assert again[::-1] == answers
    assert {answer.cut_off for answer in answers} <= {True, False}


async def test_what_nobody_waits_for_any_more_is_not_computed() -> None:
    counted = Counted()
    batcher = Batcher("tiny", opened=counted.opened)
    waiting = asyncio.create_task(asked(batcher, QUESTIONS[:2]))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    (answer,) = await asked(batcher, ["Then"])
    assert answer.completion_tokens and counted.batches == [1]


async def test_a_mistake_reaches_all_who_wait_and_the_next_can_ask() -> None:
    def closed(name: str) -> LocalModel:
        raise UserError(f"{name} is not there")

    batcher = Batcher("tiny", opened=closed)
    found = await asyncio.gather(
        *(asked(batcher, [text]) for text in QUESTIONS[:3]), return_exceptions=True
    )
    assert [str(error) for error in found] == ["tiny is not there"] * 3
    with pytest.raises(UserError, match="not there"):
        await asked(batcher, QUESTIONS[:1])
