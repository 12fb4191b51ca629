"""Asks a model many questions; running calls are awaited, so that nothing paid is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tasks.llm import Ask, CallFailed, Message

AskFor = Callable[[str], Ask]  # a question's id -> the way to the model for it
AT_ONCE = 500  # questions under way; the limiter behind `Ask` sets the pace


@dataclass
class Asked:
    """How far the asking is.

    Attributes:
        total: questions; `done` of them have an answer or will get none.
        unanswered: those that will get none.
        cut_off: answers that ended at the most tokens allowed.
    """

    total: int
    done: int = 0
    unanswered: int = 0
    cut_off: int = 0


Watch = Callable[[Asked], None]
Made = TypeVar("Made")


async def all_of(calls: Sequence[Coroutine[Any, Any, Made]]) -> list[Made]:
    """Return what all calls return; an error is raised once every call has ended."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    made: list[Made] = []
    for one in found:
        if isinstance(one, BaseException):
            raise one
        made.append(one)
    return made


async def ask_all(
    questions: Sequence[tuple[Ask, tuple[Message, ...]]],
    response_format: Mapping[str, Any] | None = None,
    watch: Watch = lambda _: None,
) -> list[str | None]:
    """Return the answers' texts in order; None where no answer came.

    Args:
        questions: each with the way to its model.
        response_format: the schema of the answers, for models that take one.
        watch: called after every question.

    Raises:
        RunStopped: the budget is spent or the circuit breaker opened; only once every call under
            way has ended.
        UserError: the model cannot be asked at all.
    """
    asked = Asked(len(questions))

    async def text(ask: Ask, messages: tuple[Message, ...]) -> str | None:
        found: str | None = None
        try:
            answer = await ask(messages, response_format=response_format)
        except CallFailed:
            asked.unanswered += 1
        else:
            found = answer.text
            asked.cut_off += answer.finish_reason == "length"
        asked.done += 1
        watch(asked)
        return found

    texts: list[str | None] = []
    for start in range(0, len(questions), AT_ONCE):
        texts += await all_of([text(*question) for question in questions[start : start + AT_ONCE]])
    return texts
