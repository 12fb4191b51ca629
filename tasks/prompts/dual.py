"""The turn-by-turn rollout: a user agent that knows the user's preferences and reviews, a recommender agent that does not."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

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

    It sees the user's liked and disliked items with the user's own reviews and ratings, and the
    target from the turn on in which the recommender named it. Other people's reviews are the
    recommender's to tell.

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

    It sees the dialogue so far, the titles of items already named in it, its sub-goals of this turn
    in words that do not tell what the user thinks, and for the items this turn is about another
    person's review. Never the user's own words, ratings or collections.

    Raises:
        ValueError: the turn is not the agent's, or `so_far` does not hold the turns before it.
    """
    _check(brief, so_far, turn, "agent")
    own = brief.template.turns[turn - 1]
    known = _introduced(brief, turn)
    about = frozenset(own.introduces) | frozenset(own.refers)
    shown = [_blind(item, item.slot in about) for item in brief.items if item.slot in known]
    ids = [profile.agent_goals.get(goal, goal) for goal in own.goals]
    line = turn_line(profile, goals, turn, own, ids)
    return _prompt(
        profile,
        profile.agent_turn,
        brief,
        so_far,
        line,
        user_information(profile, brief, shown, own_reviews=False),
    )


def spoken_text(text: str) -> str:
    """Return the utterance in an answer to a turn request: reasoning, code fences and a leading `User:` or `Agent:` are taken off."""
    return _LABEL.sub("", without_fences(message_text(text)).strip()).strip()


def as_transcript(profile: Profile, spoken: Sequence[Spoken]) -> str:
    """Return turns that were spoken one by one in the profile's answer format for a whole dialogue."""
    if profile.answer == "json":
        return json.dumps(
            {"turns": [{"role": turn.role, "text": turn.text} for turn in spoken]},
            ensure_ascii=False,
        )
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
        "so_far": fence({"so_far": [{"role": turn.role, "text": turn.text} for turn in so_far]}),
        "role": brief.template.turns[len(so_far)].role,
    }
    return Prompt(messages(words, values))


def _introduced(brief: Brief, turn: int) -> frozenset[int]:
    """Return the slots named up to and in a turn."""
    return frozenset(slot for spoken in brief.template.turns[:turn] for slot in spoken.introduces)


def _blind(item: BriefItem, about: bool) -> BriefItem:
    return replace(
        item, user_review=None, rating=None, other_review=item.other_review if about else None
    )


def _check(brief: Brief, so_far: Sequence[Spoken], turn: int, role: str) -> None:
    if len(so_far) != turn - 1 or not 1 <= turn <= len(brief.template.turns):
        raise ValueError(f"turn {turn} needs the {turn - 1} turns before it, not {len(so_far)}")
    if brief.template.turns[turn - 1].role != role:
        raise ValueError(f"turn {turn} is not the {role}'s")
