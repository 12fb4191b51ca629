"""Steps through the grammar, one utterance at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tasks.templates.grammar import GoalIds, Grammar
from tasks.templates.values import Collection


class Place(NamedTuple):
    """The position of a dialogue in the grammar.

    Attributes:
        topic: the collection of the item talked about.
        spent: how often sub-goals of each `at_most` have been said.
    """

    state: str
    topic: Collection | None
    spent: tuple[int, ...]


def opening(grammar: Grammar) -> Place:
    """Return the place where every dialogue begins."""
    return Place(grammar.start, None, (0,) * len(grammar.at_most))


def advance(grammar: Grammar, place: Place, goal_ids: GoalIds) -> Place | str:
    """Return where an utterance leads, or in one sentence why it is not allowed here."""
    state = grammar.states[place.state]
    if goal_ids not in state.moves:
        said = " + ".join(goal_ids) or "nothing"
        return f"the {state.speaker} may not say {said} here; allowed: {_allowed(grammar, place)}"
    topic = place.topic
    for goal in (grammar.goals[goal_id] for goal_id in goal_ids):
        topic = goal.introduces or topic
        if goal.about and topic not in goal.about:
            return f"{goal.id} cannot be said of an item from {topic or 'nowhere'}"
    spent = tuple(
        used + sum(goal_id in limited for goal_id in goal_ids)
        for used, (limited, _) in zip(place.spent, grammar.at_most, strict=True)
    )
    for used, (limited, times) in zip(spent, grammar.at_most, strict=True):
        if used > times:
            often = f"{times} time{'s' if times > 1 else ''}"
            return f"{' / '.join(sorted(limited))} would be said more than {often}"
    return Place(state.moves[goal_ids], topic, spent)


def onward(grammar: Grammar, place: Place) -> Iterator[tuple[GoalIds, Place]]:
    """Yield each utterance allowed at a place and where it leads, in the grammar's order."""
    for goal_ids in grammar.states[place.state].moves:
        reached = advance(grammar, place, goal_ids)
        if isinstance(reached, Place):
            yield goal_ids, reached


def _allowed(grammar: Grammar, place: Place) -> str:
    moves = grammar.states[place.state].moves
    return ", ".join(" + ".join(goal_ids) for goal_ids in moves) or "nothing, the dialogue is over"
