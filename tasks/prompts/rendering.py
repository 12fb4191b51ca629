"""The messages of a request for a whole dialogue, from a brief and a profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from string import Template as Text
from typing import Any, Protocol

from tasks.briefs import Brief, BriefItem
from tasks.prompts.answer_schema import answer_schema, schema_format, utterance_schema
from tasks.prompts.data_fence import cut_to_words, fence
from tasks.prompts.profiles import Conversation, Profile
from tasks.prompts.values import Instructed, Message, Prompt
from tasks.templates import Turn

Goals = Mapping[str, Instructed]


class NamesItems(Protocol):
    """What says how a text speaks of an item slot: a prompt profile, or the words of a judge."""

    def item(self, slot: int) -> str:
        """Return the reference to a slot."""
        ...


def render(profile: Profile, goals: Goals, brief: Brief) -> Prompt:
    """Render the request for a brief's whole dialogue (2.5.1).

    It has a static instruction, the template, and the user information as JSON. Values are filled
    in once and not rendered again, so `{{`, `${` and the like in a review are kept literally.

    Args:
        profile: the prompt profile.
        goals: sub-goals by id.
        brief: the content of the dialogue; every slot filled.

    Raises:
        KeyError: the brief's template has a sub-goal that `goals` lacks.
    """
    values = {
        **places(profile, brief),
        "template": template_lines(profile, goals, brief.template.turns),
        "data": fence(user_information(profile, brief, brief.items)),
    }
    return Prompt(messages(profile.dialogue, values), response_format(profile, brief))


def messages(words: Conversation, values: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a system and a user message with the placeholders filled."""
    return (
        {"role": "system", "content": Text(words.system).substitute(values)},
        {"role": "user", "content": Text(words.user).substitute(values)},
    )


def places(profile: Profile, brief: Brief) -> dict[str, str]:
    """Return the values of all placeholders; those of `data`, `template` and the like are empty."""
    return {
        "noun": brief.noun,
        "verb": brief.verb,
        "language": profile.language_name,
        "turns": str(len(brief.template.turns)),
        "max_words": str(profile.max_words),
        "template": "",
        "data": "",
        "findings": "",
        "asked": "",
        "role": "",
    }


def template_lines(
    profile: NamesItems, goals: Goals, turns: Sequence[Turn], only: Iterable[int] = ()
) -> str:
    """Return the template, one line a turn: number, role, sub-goals, items to name, what to do.

    `only` keeps some turns.
    """
    kept = frozenset(only)
    return "\n".join(
        turn_line(profile, goals, number, turn)
        for number, turn in enumerate(turns, start=1)
        if not kept or number in kept
    )


def turn_line(
    profile: NamesItems,
    goals: Goals,
    number: int,
    turn: Turn,
    goal_ids: Sequence[str] | None = None,
) -> str:
    """Return one line of the template; `goal_ids` replaces the turn's own sub-goals."""
    ids = turn.goals if goal_ids is None else goal_ids
    names = [f"name {items(profile, turn.introduces)}"] if turn.introduces else []
    names += [f"may name {items(profile, turn.refers)}"] if turn.refers else []
    named = f" ({'; '.join(names)})" if names else ""
    instructions = " ".join(goals[goal].instruction for goal in ids)
    return f"{number}. {turn.role} [{', '.join(ids)}]{named}: {instructions}"


def items(profile: NamesItems, slots: Iterable[int]) -> str:
    """Return references to item slots, separated by commas."""
    return ", ".join(profile.item(slot) for slot in slots)


def user_information(
    profile: Profile, brief: Brief, shown: Iterable[BriefItem], *, own_reviews: bool = True
) -> dict[str, Any]:
    """Return the user information of Figure 3 (c) as JSON data.

    `own_reviews=False` leaves out the user's reviews and ratings.
    """
    return {
        "noun": brief.noun,
        "verb": brief.verb,
        "items": [_item(profile, item, own_reviews) for item in shown],
    }


def _item(profile: Profile, item: BriefItem, own_reviews: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"item": profile.item(item.slot), "title": item.title}
    if own_reviews:
        entry["collection"] = item.collection
        if item.rating is not None and item.collection != "MIGHT_LIKES":
            entry["rating"] = item.rating
        if item.user_review is not None:
            entry["user_review"] = cut_to_words(item.user_review, profile.max_review_words)
    if item.other_review is not None:
        entry["other_review"] = cut_to_words(item.other_review, profile.max_review_words)
    return entry


def response_format(
    profile: Profile, brief: Brief, only: tuple[int, ...] = ()
) -> dict[str, Any] | None:
    """Return the answer's JSON schema as litellm takes it, or None if the profile asks for none.

    `only` names the turns asked for, from 1; empty means the whole dialogue.
    """
    if not _takes_schema(profile):
        return None
    schema = answer_schema(brief.template.turns, profile.item_reference, only)
    return schema_format("turns" if only else "dialogue", schema)


def utterance_format(profile: Profile, turn: Turn) -> dict[str, Any] | None:
    """Return, as `response_format`, the schema for one turn that is asked for alone."""
    if not _takes_schema(profile):
        return None
    return schema_format("utterance", utterance_schema(turn, profile.item_reference))


def _takes_schema(profile: Profile) -> bool:
    return profile.answer == "json" and profile.structured_output
