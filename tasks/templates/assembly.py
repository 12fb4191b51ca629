"""Builds a template from its sub-goals: item slots, introductions, references and the id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from tasks.fingerprint import fingerprint
from tasks.goals import SubGoal
from tasks.templates.grammar import GoalIds
from tasks.templates.values import Role, Slot, Template, Turn

Line = tuple[Role, GoalIds]
ROLES: tuple[Role, Role] = ("user", "agent")
HASH_DIGITS = 8


def build_template(goals: Mapping[str, SubGoal], lines: Sequence[Line]) -> Template:
    """Build a template from the role and sub-goals of each utterance.

    A slot is numbered when it is introduced. A review that a sub-goal needs is one of the item
    introduced last. An utterance may also name the items its sub-goals refer to, if they were
    introduced before it.

    Args:
        goals: sub-goals by id.
        lines: role and sub-goals of each utterance, in order.

    Raises:
        KeyError: a sub-goal that `goals` lacks.
    """
    slots: list[Slot] = []
    turns = []
    for role, goal_ids in lines:
        before = len(slots)
        named: set[int] = set()
        for goal in (goals[goal_id] for goal_id in goal_ids):
            named |= _references(goal, len(slots))
            if goal.introduces:
                slots.append(Slot(len(slots) + 1, goal.introduces))
            if goal.review and slots:
                slots[-1] = _with_review(slots[-1], goal.review)
        introduces = tuple(range(before + 1, len(slots) + 1))
        refers = tuple(sorted(number for number in named if number <= before))
        turns.append(Turn(role, goal_ids, introduces, refers))
    recommendations = count_recommendations(goals, lines)
    return Template(
        template_id(recommendations, lines), recommendations, tuple(turns), tuple(slots)
    )


def with_speakers(utterances: Sequence[GoalIds]) -> list[Line]:
    """Return utterances with their speakers: the user begins and the roles alternate."""
    return [(ROLES[number % 2], goals) for number, goals in enumerate(utterances)]


def count_recommendations(goals: Mapping[str, SubGoal], lines: Sequence[Line]) -> int:
    """Return how many items the agent introduces; all but the user's own are recommended."""
    count = 0
    for role, goal_ids in lines:
        if role == "agent":
            count += sum(goals[goal_id].introduces is not None for goal_id in goal_ids)
    return count


def template_id(recommendations: int, lines: Sequence[Line]) -> str:
    """Return an id by content, after its recommendations and utterances: `r2-u10-3fa9c1d2`."""
    content = [[role, list(goal_ids)] for role, goal_ids in lines]
    return f"r{recommendations}-u{len(lines)}-{fingerprint(content)[:HASH_DIGITS]}"


def _with_review(slot: Slot, whose: Literal["user", "other"]) -> Slot:
    return replace(
        slot,
        user_review=slot.user_review or whose == "user",
        other_review=slot.other_review or whose == "other",
    )


def _references(goal: SubGoal, introduced: int) -> set[int]:
    """Return the slots a sub-goal may name: the greeting's (the first), the last recommended."""
    slots = {"greeting": 1 if introduced else 0, "recommended": introduced if introduced > 1 else 0}
    # 0 means a slot that is not introduced yet.
    return {slots[name] for name in goal.refers} - {0}
