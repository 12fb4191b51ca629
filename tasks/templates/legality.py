"""Checks of one template against the grammar."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.templates.assembly import ROLES, build_template
from tasks.templates.grammar import Grammar
from tasks.templates.state_machine import Place, advance, opening
from tasks.templates.values import Template


def legal(grammar: Grammar, template: Template) -> list[str]:
    """Return the reasons why a template is illegal; none if it is legal.

    Checked are the walk through the grammar, the speakers, the length for its number of
    recommendations, that the MIGHT_LIKES item is recommended last and alone (2.4.2), and that
    slots, references and id follow from the sub-goals.
    """
    return list(_unknown_goals(grammar, template)) or [
        *_walk_faults(grammar, template),
        *_shape_faults(grammar, template),
        *_derivation_faults(grammar, template),
    ]


def _unknown_goals(grammar: Grammar, template: Template) -> Iterator[str]:
    for number, turn in enumerate(template.turns, start=1):
        for goal in turn.goals:
            if goal not in grammar.goals:
                yield f"turn {number}: unknown sub-goal {goal!r}"


def _walk_faults(grammar: Grammar, template: Template) -> Iterator[str]:
    """Yield the first step that the grammar does not allow; later ones cannot be judged."""
    place = opening(grammar)
    for number, turn in enumerate(template.turns, start=1):
        if turn.role != ROLES[(number - 1) % 2]:
            yield f"turn {number}: the {ROLES[(number - 1) % 2]} speaks here, not the {turn.role}"
            return
        reached = advance(grammar, place, turn.goals)
        if not isinstance(reached, Place):
            yield f"turn {number}: {reached}"
            return
        place = reached
    if not grammar.states[place.state].ends:
        yield f"it may not end after turn {len(template.turns)}"


def _shape_faults(grammar: Grammar, template: Template) -> Iterator[str]:
    recommendations = template.recommendations
    utterances = len(template.turns)
    bounds = grammar.lengths.get(recommendations)
    if bounds is None:
        known = ", ".join(map(str, grammar.lengths))
        yield f"{recommendations} recommendations; the grammar has {known}"
    elif not bounds[0] <= utterances <= bounds[1]:
        yield (
            f"{utterances} utterances with {recommendations} recommendations; "
            f"allowed: {bounds[0]} to {bounds[1]}"
        )
    collections = [slot.collection for slot in template.slots]
    if collections.count("MIGHT_LIKES") != 1 or collections[-1] != "MIGHT_LIKES":
        yield "the last item, and only the last, must be the MIGHT_LIKES one"
    if len(collections) != template.recommendations + 1:
        yield "the user introduces exactly one item, in the greeting"


def _derivation_faults(grammar: Grammar, template: Template) -> Iterator[str]:
    derived = build_template(grammar.goals, [(turn.role, turn.goals) for turn in template.turns])
    if derived.template_id != template.template_id:
        yield f"its id is not the one its content gives, which is {derived.template_id}"
    elif derived != template:
        yield "its slots, introductions or references are not those that follow from its sub-goals"
