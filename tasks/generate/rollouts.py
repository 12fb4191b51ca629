"""Rollouts: how one brief becomes one dialogue. A rollout is a picklable value with `async def __call__(brief, ask)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tasks.briefs.values import Brief
from tasks.llm import Ask, Transcript
from tasks.prompts.values import Prompt


class Rollout(Protocol):
    """How one brief becomes one transcript. Errors of `ask` are left to the caller."""

    @property
    def attempt(self) -> int:
        """Which attempt at its briefs this rollout is, from 1."""
        ...

    @property
    def name(self) -> str:
        """What the rollout is called in `transcripts`."""
        ...

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Write one dialogue."""
        ...


@dataclass(frozen=True)
class Single:
    """One call a dialogue, as the paper does (2.5.1).

    Attributes:
        render: a brief's prompt; picklable, such as `functools.partial(render, profile, goals)`.
    """

    render: Callable[[Brief], Prompt]
    attempt: int = 1
    name: str = "single"

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask once and take the answer as the dialogue."""
        prompt = self.render(brief)
        answer = await ask(prompt.messages, response_format=prompt.response_format, attempt=self.attempt)
        return Transcript(brief.dialogue_id, self.attempt, "answered", answer.text, answer.finish_reason, (answer.request_key,))
