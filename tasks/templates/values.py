"""Dialogue templates as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.goals import Collection as Collection

Role = Literal["user", "agent"]


@dataclass(frozen=True)
class Turn:
    """One turn of a template.

    Attributes:
        role: who speaks.
        goals: ids of the sub-goals of this one utterance, in order.
        introduces: item slots first named here; the utterance must name them.
        refers: item slots already introduced that the utterance may name.
    """

    role: Role
    goals: tuple[str, ...]
    introduces: tuple[int, ...] = ()
    refers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Slot:
    """One item slot of a template.

    Attributes:
        number: from 1, in order of introduction; the `{{item:N}}` of prompts and answers.
        collection: where its item is drawn from.
        user_review: a sub-goal needs the user's own review of the item.
        other_review: a sub-goal needs another person's review of it.
    """

    number: int
    collection: Collection
    user_review: bool = False
    other_review: bool = False


@dataclass(frozen=True)
class Template:
    """One dialogue template (2.4.2): its turns in order and its item slots.

    It has 1 to 3 recommendations, of which the last is accepted or left open.
    """

    template_id: str
    recommendations: int
    turns: tuple[Turn, ...]
    slots: tuple[Slot, ...]
