"""A walk through the grammar, one utterance at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tasks.templates.grammar import Grammar, Said
from tasks.templates.values import Collection


class Place(NamedTuple):
    """Where a dialogue stands: the state, the collection of the item talked about, how much of each `at_most` is spent."""

    state: str
    topic: Collection | None
    spent: tuple[int, ...]


def opening(grammar: Grammar) -> Place:
    """Return where every dialogue begins."""
    return Place(grammar.start, None, (0,) * len(grammar.at_most))


def advance(grammar: Grammar, place: Place, said: Said) -> Place | str:
    """Return where an utterance leads, or in one sentence why it may not be said here."""
    state = grammar.states[place.state]
    if said not in state.moves:
        return f"the {state.speaker} may not say {' + '.join(said) or 'nothing'} here; allowed: {allowed(grammar, place)}"
    topic = place.topic
    for goal in (grammar.goals[name] for name in said):
        topic = goal.introduces or topic
        if goal.about and topic not in goal.about:
            return f"{goal.id} cannot be said of an item from {topic or 'nowhere'}"
    spent = tuple(
        used + sum(goal in names for goal in said)
        for used, (names, _) in zip(place.spent, grammar.at_most, strict=True)
    )
    for used, (names, times) in zip(spent, grammar.at_most, strict=True):
        if used > times:
            return f"{' / '.join(sorted(names))} would be said more than {times} time{'s' if times > 1 else ''}"
    return Place(state.moves[said], topic, spent)


def onward(grammar: Grammar, place: Place) -> Iterator[tuple[Said, Place]]:
    """Yield everything that may be said in a place and where it leads, in the grammar's order."""
    for said in grammar.states[place.state].moves:
        reached = advance(grammar, place, said)
        if isinstance(reached, Place):
            yield said, reached


def allowed(grammar: Grammar, place: Place) -> str:
    """Return what the state's speaker may say, as text for a message."""
    moves = grammar.states[place.state].moves
    return ", ".join(" + ".join(said) for said in moves) or "nothing, the dialogue is over"
