"""Prompts, and the findings of a repair request, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": text}


class Instructed(Protocol):
    """What the prompts need of a sub-goal: the sentence that tells a model what to do."""

    @property
    def instruction(self) -> str:
        """The sub-goal's instruction in plain words."""
        ...


@dataclass(frozen=True)
class Prompt:
    """One complete prompt.

    Attributes:
        messages: chat messages in order.
        response_format: a JSON schema for litellm, or None. The messages ask for the same shape, or
            for the plain words of one turn, so it can be left out for a model without support for
            it.
    """

    messages: tuple[Message, ...]
    response_format: dict[str, Any] | None = None


@dataclass(frozen=True)
class Finding:
    """One rule a dialogue broke.

    `turn` counts from 1, None for the dialogue as a whole; `sentence` is the rule in words.
    """

    rule: str
    turn: int | None
    evidence: str
    sentence: str


@dataclass(frozen=True)
class Spoken:
    """One utterance already written, with the profile's item references.

    `role` may be any text if an answer gave one.
    """

    role: str
    text: str
