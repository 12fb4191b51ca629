"""Rollouts: how one brief becomes one dialogue.

A rollout is a picklable value with `async def __call__(brief, ask)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tasks.briefs import Brief
from tasks.llm import BROKEN_OFF, Ask, ReadProblem, Transcript, cut_prompt
from tasks.prompts import (
    Instructed,
    Profile,
    Prompt,
    Spoken,
    as_transcript,
    render_agent_turn,
    render_user_turn,
    spoken_text,
)


class Rollout(Protocol):
    """How one brief becomes one transcript. Errors of `ask` are left to the caller."""

    @property
    def attempt(self) -> int:
        """The number of this attempt at its briefs, from 1."""
        ...

    @property
    def name(self) -> str:
        """The rollout's name in `transcripts`."""
        ...

    @property
    def read_problem(self) -> ReadProblem | None:
        """What returns why one answer cannot be read; None where any text is as good as another."""
        ...

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Write one dialogue."""
        ...


@dataclass(frozen=True)
class Single:
    """One call a dialogue, as the paper does (2.5.1).

    Attributes:
        render: makes a brief's prompt; picklable, such as `functools.partial(render, profile,
            goals)`.
        read_problem: returns why an answer is no dialogue; picklable.
    """

    render: Callable[[Brief], Prompt]
    attempt: int = 1
    name: str = "single"
    read_problem: ReadProblem | None = None

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask once and take the answer as the dialogue."""
        prompt = self.render(brief)
        answer = await ask(
            prompt.messages, response_format=prompt.response_format, attempt=self.attempt
        )
        return Transcript(
            brief.dialogue_id,
            self.attempt,
            "answered",
            answer.text,
            answer.finish_reason,
            (answer.request_key,),
            cut_prompt(prompt.messages, answer),
        )


@dataclass(frozen=True)
class Dual:
    """Two agents write the dialogue turn by turn, along one template.

    The user agent knows the user's tastes, the recommender agent does not. The dialogue ends early
    when an answer was cut off or filtered; the transcript then has that finish reason.
    """

    profile: Profile
    goals: Mapping[str, Instructed]
    attempt: int = 1
    name: str = "dual"
    read_problem: ReadProblem | None = None  # an answer is what one speaker says, so any text

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask once a turn; every request holds the turns before it."""
        spoken: list[Spoken] = []
        keys: list[str] = []
        finish = "stop"
        for number, turn in enumerate(brief.template.turns, start=1):
            render = render_user_turn if turn.role == "user" else render_agent_turn
            prompt = render(self.profile, self.goals, brief, spoken, number)
            answer = await ask(
                prompt.messages, response_format=prompt.response_format, attempt=self.attempt
            )
            keys.append(answer.request_key)
            spoken.append(Spoken(turn.role, spoken_text(answer.text)))
            if answer.finish_reason in BROKEN_OFF:
                finish = answer.finish_reason
                break
        text = as_transcript(self.profile, spoken)
        return Transcript(brief.dialogue_id, self.attempt, "answered", text, finish, tuple(keys))
