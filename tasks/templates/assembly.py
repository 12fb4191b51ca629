"""What a sequence of utterances' sub-goals amounts to: item slots, who introduces and refers to what, the template's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from tasks.fingerprint import fingerprint
from tasks.goals import SubGoal
from tasks.templates.grammar import Said
from tasks.templates.values import Role, Slot, Template, Turn

Line = tuple[Role, Said]
ROLES: tuple[Role, Role] = ("user", "agent")
HASH_DIGITS = 8


def build_template(goals: Mapping[str, SubGoal], lines: Sequence[Line]) -> Template:
    """Build a template from who says which sub-goals; slots, introductions and references follow from the sub-goals.

    A slot is numbered when it is introduced. A review that a sub-goal needs is one of the item
    talked about, which is the one introduced last. An utterance may also name the items its
    sub-goals refer to, as far as they were introduced before it.

    Args:
        goals: sub-goals by id.
        lines: role and sub-goals of each utterance, in order.

    Raises:
        KeyError: a sub-goal that `goals` lacks.
    """
    slots: list[Slot] = []
    turns = []
    for role, said in lines:
        before = len(slots)
        named: set[int] = set()
        for goal in (goals[name] for name in said):
            named |= _references(goal, len(slots))
            if goal.introduces:
                slots.append(Slot(len(slots) + 1, goal.introduces))
            if goal.review and slots:
                slots[-1] = _with_review(slots[-1], goal.review)
        turns.append(
            Turn(
                role,
                said,
                tuple(range(before + 1, len(slots) + 1)),
                tuple(sorted(n for n in named if n <= before)),
            )
        )
    recommendations = count_recommendations(goals, lines)
    return Template(
        template_id(recommendations, lines), recommendations, tuple(turns), tuple(slots)
    )


def spoken(said: Sequence[Said]) -> list[Line]:
    """Return utterances with their speakers: the user opens and the roles alternate."""
    return [(ROLES[number % 2], goals) for number, goals in enumerate(said)]


def count_recommendations(goals: Mapping[str, SubGoal], lines: Sequence[Line]) -> int:
    """Return how often the agent recommends: every item but the user's own comes in by a recommendation."""
    return sum(
        goals[goal].introduces is not None
        for role, said in lines
        if role == "agent"
        for goal in said
    )


def template_id(recommendations: int, lines: Sequence[Line]) -> str:
    """Return an id made of the content, with recommendations and utterances in front for the reader: `r2-u10-3fa9c1d2`."""
    content = [[role, list(said)] for role, said in lines]
    return f"r{recommendations}-u{len(lines)}-{fingerprint(content)[:HASH_DIGITS]}"


def _with_review(slot: Slot, whose: Literal["user", "other"]) -> Slot:
    return replace(
        slot,
        user_review=slot.user_review or whose == "user",
        other_review=slot.other_review or whose == "other",
    )


def _references(goal: SubGoal, introduced: int) -> set[int]:
    """Return the slots a sub-goal may name: the greeting's is the first, the one recommended last is the latest after it."""
    slots = {"greeting": 1 if introduced else 0, "recommended": introduced if introduced > 1 else 0}
    return {slots[name] for name in goal.refers} - {0}
