"""Turn-by-turn requests: to a user who has the preferences, and a recommender who has not."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from tasks.briefs import Brief, BriefItem
from tasks.model_output import message_text, without_fences
from tasks.prompts.data_fence import fence
from tasks.prompts.profiles import Conversation, Profile
from tasks.prompts.rendering import Goals, messages, places, turn_line, user_information
from tasks.prompts.values import Prompt, Spoken

_LABEL = re.compile(
    r"^\s*(?:```\w*\s*)?(?:\*\*)?(?:user|agent)(?:\*\*)?\s*:(?:\*\*)?\s*", re.IGNORECASE
)


def render_user_turn(
    profile: Profile, goals: Goals, brief: Brief, so_far: Sequence[Spoken], turn: int
) -> Prompt:
    """Render the user agent's request for turn `turn` (from 1).

    It has the user's liked and disliked items with the user's own reviews and ratings, and the
    target from the turn on in which the recommender named it. Other people's reviews are for the
    recommender only.

    Raises:
        ValueError: the turn is not the user's, or `so_far` does not hold the turns before it.
    """
    _check(brief, so_far, turn, "user")
    known = _introduced(brief, turn)
    shown = [
        replace(item, other_review=None)
        for item in brief.items
        if item.collection != "MIGHT_LIKES" or item.slot in known
    ]
    line = turn_line(profile, goals, turn, brief.template.turns[turn - 1])
    return _prompt(
        profile, profile.user_turn, brief, so_far, line, user_information(profile, brief, shown)
    )


def render_agent_turn(
    profile: Profile, goals: Goals, brief: Brief, so_far: Sequence[Spoken], turn: int
) -> Prompt:
    """Render the recommender agent's request for turn `turn` (from 1).

    It has the dialogue so far, the titles of items already named in it, its sub-goals of this turn
    in words that do not reveal what the user thinks, and for the items of this turn another
    person's review. Never the user's own reviews, ratings or collections.

    Raises:
        ValueError: the turn is not the agent's, or `so_far` does not hold the turns before it.
    """
    _check(brief, so_far, turn, "agent")
    own = brief.template.turns[turn - 1]
    known = _introduced(brief, turn)
    about = frozenset(own.introduces) | frozenset(own.refers)
    shown = [
        _without_user(item, other_review=item.slot in about)
        for item in brief.items
        if item.slot in known
    ]
    ids = [profile.agent_goals.get(goal, goal) for goal in own.goals]
    line = turn_line(profile, goals, turn, own, ids)
    data = user_information(profile, brief, shown, own_reviews=False)
    return _prompt(profile, profile.agent_turn, brief, so_far, line, data)


def spoken_text(text: str) -> str:
    """Return the utterance in an answer, without reasoning, code fences and leading `User:`."""
    return _LABEL.sub("", without_fences(message_text(text)).strip()).strip()


def as_transcript(profile: Profile, spoken: Sequence[Spoken]) -> str:
    """Return single turns in the profile's answer format for a whole dialogue."""
    if profile.answer == "json":
        return json.dumps({"turns": _as_json(spoken)}, ensure_ascii=False)
    return "\n".join(f"{turn.role.capitalize()}: {' '.join(turn.text.split())}" for turn in spoken)


def _prompt(
    profile: Profile,
    words: Conversation,
    brief: Brief,
    so_far: Sequence[Spoken],
    line: str,
    known: dict[str, object],
) -> Prompt:
    values = {
        **places(profile, brief),
        "template": line,
        "data": fence(known),
        "so_far": fence({"so_far": _as_json(so_far)}),
        "role": brief.template.turns[len(so_far)].role,
    }
    return Prompt(messages(words, values))


def _as_json(turns: Sequence[Spoken]) -> list[dict[str, str]]:
    return [{"role": turn.role, "text": turn.text} for turn in turns]


def _introduced(brief: Brief, turn: int) -> frozenset[int]:
    """Return the slots named up to and in a turn."""
    turns = brief.template.turns[:turn]
    return frozenset(chain.from_iterable(turn.introduces for turn in turns))


def _without_user(item: BriefItem, *, other_review: bool) -> BriefItem:
    """Return an item without what the user wrote, and without the other review unless asked."""
    kept = item.other_review if other_review else None
    return replace(item, user_review=None, rating=None, other_review=kept)


def _check(brief: Brief, so_far: Sequence[Spoken], turn: int, role: str) -> None:
    if len(so_far) != turn - 1 or not 1 <= turn <= len(brief.template.turns):
        raise ValueError(f"turn {turn} needs the {turn - 1} turns before it, not {len(so_far)}")
    if brief.template.turns[turn - 1].role != role:
        raise ValueError(f"turn {turn} is not the {role}'s")
