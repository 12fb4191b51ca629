"""Asks a model many questions; running calls are awaited, so that nothing paid is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tasks.llm import Ask, CallFailed, Message

AskFor = Callable[[str], Ask]  # a question's id -> the way to the model for it
AT_ONCE = 500  # questions under way; the limiter behind `Ask` sets the pace


async def ask_all(questions: Sequence[tuple[Ask, tuple[Message, ...]]]) -> list[str | None]:
    """Return the answers' texts in order; None where no answer came.

    Raises:
        RunStopped: the budget is spent or the circuit breaker opened; only once every call under
            way has ended.
        UserError: the model cannot be asked at all.
    """
    texts: list[str | None] = []
    for start in range(0, len(questions), AT_ONCE):
        answers = await asyncio.gather(
            *(_text(ask, messages) for ask, messages in questions[start : start + AT_ONCE]),
            return_exceptions=True,
        )
        for text in answers:
            if isinstance(text, BaseException):
                raise text
            texts.append(text)
    return texts


async def _text(ask: Ask, messages: tuple[Message, ...]) -> str | None:
    try:
        return (await ask(messages)).text
    except CallFailed:
        return None
