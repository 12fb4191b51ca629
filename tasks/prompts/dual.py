"""Turn-by-turn requests: to a user who has the preferences, and a recommender who has not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from string import Template as Text
from typing import Any

from tasks.briefs import Brief, BriefItem
from tasks.model_output import message_text, read_json, without_fences
from tasks.prompts.data_fence import fence
from tasks.prompts.profiles import AgentConversation, Profile
from tasks.prompts.rendering import (
    Goals,
    messages,
    places,
    turn_line,
    user_information,
    utterance_format,
)
from tasks.prompts.values import Message, Prompt, Spoken

_LABEL = re.compile(
    r"^\s*(?:```\w*\s*)?(?:\*\*)?(?:user|agent)(?:\*\*)?\s*:(?:\*\*)?\s*", re.IGNORECASE
)
_NEXT_SPEAKER = re.compile(r"\n\s*(?:\*\*)?(?:user|agent)(?:\*\*)?\s*:", re.IGNORECASE)
_AS_JSON = re.compile(r'\s*\{\s*(?:"role"\s*:\s*"\w+"\s*,\s*)?"text"\s*:\s*"')


def render_user_turn(
    profile: Profile, goals: Goals, brief: Brief, so_far: Sequence[Spoken], turn: int
) -> Prompt:
    """Render the user agent's request for turn `turn` (from 1).

    It has the user's liked and disliked items with the user's own reviews and ratings, and the
    target from the turn on in which the recommender named it. Other people's reviews are for the
    recommender only. The messages of its earlier requests come first, as they were.

    Raises:
        ValueError: the turn is not the user's, or `so_far` does not hold the turns before it.
    """
    _check(brief, so_far, turn, "user")

    def known(at: int) -> dict[str, Any]:
        named = _introduced(brief, at)
        shown = [
            replace(item, other_review=None)
            for item in brief.items
            if item.collection != "MIGHT_LIKES" or item.slot in named
        ]
        return user_information(profile, brief, shown)

    def line(at: int) -> str:
        return turn_line(profile, goals, at, brief.template.turns[at - 1])

    return _conversation(profile, profile.user_turn, brief, so_far, line, known)


def render_agent_turn(
    profile: Profile, goals: Goals, brief: Brief, so_far: Sequence[Spoken], turn: int
) -> Prompt:
    """Render the recommender agent's request for turn `turn` (from 1).

    It has the dialogue so far, the titles of items already named in it, its sub-goals of this turn
    in words that do not reveal what the user thinks, and for the items of its turns another
    person's review. Never the user's own reviews, ratings or collections. The messages of its
    earlier requests come first, as they were.

    Raises:
        ValueError: the turn is not the agent's, or `so_far` does not hold the turns before it.
    """
    _check(brief, so_far, turn, "agent")

    def known(at: int) -> dict[str, Any]:
        named, about = _introduced(brief, at), _spoken_about(brief, "agent", at)
        shown = [
            _without_user(item, other_review=item.slot in about)
            for item in brief.items
            if item.slot in named
        ]
        return user_information(profile, brief, shown, own_reviews=False)

    def line(at: int) -> str:
        own = brief.template.turns[at - 1]
        ids = [profile.agent_goals.get(goal, goal) for goal in own.goals]
        return turn_line(profile, goals, at, own, ids)

    return _conversation(profile, profile.agent_turn, brief, so_far, line, known)


def spoken_text(text: str) -> str:
    """Return the utterance in an answer, without reasoning, code fences and leading `User:`.

    Of an answer in JSON, as the schema of a turn asks for it, the text is taken; of one that goes
    on with the other side's turns, what stands before them.
    """
    said = _LABEL.sub("", without_fences(_text_in_json(message_text(text))).strip())
    return _NEXT_SPEAKER.split(said, maxsplit=1)[0].strip()


def _text_in_json(answer: str) -> str:
    """Return the text in an answer that is JSON, also in one that breaks off; others as they are.

    A plain one may begin with a brace as well: that of an item's placeholder.
    """
    begun = _AS_JSON.match(answer)
    if begun is None:
        return answer
    values = read_json(answer).values
    said = values[0].value.get("text") if values and isinstance(values[0].value, dict) else None
    return said if isinstance(said, str) else answer[begun.end() :]


def as_transcript(profile: Profile, spoken: Sequence[Spoken]) -> str:
    """Return single turns in the profile's answer format for a whole dialogue."""
    if profile.answer == "json":
        return json.dumps({"turns": _as_json(spoken)}, ensure_ascii=False)
    return "\n".join(f"{turn.role.capitalize()}: {' '.join(turn.text.split())}" for turn in spoken)


def _conversation(
    profile: Profile,
    words: AgentConversation,
    brief: Brief,
    so_far: Sequence[Spoken],
    line: Callable[[int], str],
    known: Callable[[int], dict[str, Any]],
) -> Prompt:
    """Return the conversation of the agent that speaks after `so_far`, up to its next turn.

    Each of its own turns is a message that asks for it and one that answers. A message that asks
    has what was said and what became known since the one before it, so that nothing in an earlier
    request ever changes, and a provider's cache of prefixes holds it. `line` returns the template's
    line of an own turn, `known` all that the agent knows at it.
    """
    turn = len(so_far) + 1
    due = brief.template.turns[turn - 1]
    role = due.role
    conversation: list[Message] = []
    told: list[dict[str, Any]] = []
    last = 0
    for number, own in enumerate(brief.template.turns[:turn], start=1):
        if own.role != role:
            continue
        data = known(number)
        data["items"] = [entry for entry in data["items"] if entry not in told]
        told += data["items"]
        data["so_far"] = _as_json(so_far[last : number - 1])
        if conversation:
            data = {name: data[name] for name in ("so_far", "items")}
        block = fence({name: value for name, value in data.items() if value})
        values = {**places(profile, brief), "template": line(number), "data": block}
        if conversation:
            conversation.append({"role": "user", "content": Text(words.next).substitute(values)})
        else:
            conversation += messages(words, values)
        if number < turn:
            conversation.append({"role": "assistant", "content": so_far[number - 1].text})
            last = number
    return Prompt(tuple(conversation), utterance_format(profile, due))


def _as_json(turns: Sequence[Spoken]) -> list[dict[str, str]]:
    return [{"role": turn.role, "text": turn.text} for turn in turns]


def _introduced(brief: Brief, turn: int) -> frozenset[int]:
    """Return the slots named up to and in a turn."""
    turns = brief.template.turns[:turn]
    return frozenset(chain.from_iterable(turn.introduces for turn in turns))


def _spoken_about(brief: Brief, role: str, turn: int) -> frozenset[int]:
    """Return the slots that a role's turns up to and with a turn name or may name."""
    turns = [own for own in brief.template.turns[:turn] if own.role == role]
    return frozenset(chain.from_iterable((*own.introduces, *own.refers) for own in turns))


def _without_user(item: BriefItem, *, other_review: bool) -> BriefItem:
    """Return an item without what the user wrote, and without the other review unless asked."""
    kept = item.other_review if other_review else None
    return replace(item, user_review=None, rating=None, other_review=kept)


def _check(brief: Brief, so_far: Sequence[Spoken], turn: int, role: str) -> None:
    if len(so_far) != turn - 1 or not 1 <= turn <= len(brief.template.turns):
        raise ValueError(f"turn {turn} needs the {turn - 1} turns before it, not {len(so_far)}")
    if brief.template.turns[turn - 1].role != role:
        raise ValueError(f"turn {turn} is not the {role}'s")
