"""What a speaker answers to: the other's last turn, by sub-goals or, in a rollout, by words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.mock_model.reviews import mood

# The first of these sub-goals in a user's turn is what the agent answers to.
_HEARD = {
    "ask_item_detail": "question",
    "greeting_likes": "likes",
    "greeting_dislikes": "dislikes",
    "reject_without_reason": "rejected",
    "reject_with_reason": "rejected",
    "accept_without_reason": "accepted",
    "accept_with_reason": "accepted",
    "accept_gratitude": "accepted",
    "express_interest": "interest",
    "express_gratitude": "leaving",
    "reject_gratitude": "leaving",
    "ask_recommendation": "asked",
}
_OFFERED = {
    "ask_preference": "preference",
    "ask_more": "more",
    "lead_to_recommend": "led",
    "end_conversation": "end",
}

_REJECTS = re.compile(r"\b(?:no|not|skip|pass|turn|afraid|sorry|leave)\b", re.IGNORECASE)
_ACCEPTS = re.compile(
    r"\b(?:I|I'll|I will|yes|okay|sure|sold|done)\b.*\b(?:try|watch|read|give|go|take|list|in)\b",
    re.IGNORECASE,
)
_LEAVES = re.compile(
    r"\b(?:thank|thanks|goodbye|bye|off|run|grateful|obliged|cheers)\b", re.IGNORECASE
)
_TITLE = re.compile(r'"[^"]*"')
_LEADS = re.compile(r"\b(?:find|look for|looking for|suggest|tip)\b", re.IGNORECASE)
_MORE = re.compile(r"\b(?:another|more|else|further|keep|go on)\b", re.IGNORECASE)


def heard_in(goals: Iterable[str]) -> str:
    """Return the user's act in a turn with these sub-goals, as part of a table's name."""
    said = frozenset(goals)
    if "lead_to_end" in said:
        return "leaving" if any(goal.endswith("_gratitude") for goal in said) else "going"
    return next((heard for goal, heard in _HEARD.items() if goal in said), "chat")


def offered_in(goals: Iterable[str]) -> str:
    """Return the agent's act in a turn with these sub-goals, as part of a table's name."""
    said = frozenset(goals)
    return next((offered for goal, offered in _OFFERED.items() if goal in said), "")


def heard_from(text: str, *, recommended: bool) -> str:
    """Guess the user's act from words alone; `recommended` is True if an item is on offer."""
    text = _TITLE.sub("", text)
    feeling, before, question = mood(text), *text.partition("?")[:2]
    if not recommended:
        return "asked" if question and not feeling else ("chat", "likes", "dislikes")[feeling]
    if question and not _REJECTS.search(before):
        return "question"
    if _LEAVES.search(text) and not _REJECTS.search(text):
        return "accepted" if _ACCEPTS.search(text) else "leaving"
    if _REJECTS.search(text):
        return "known" if feeling > 0 else "rejected"
    return "accepted" if _ACCEPTS.search(text) else "interest"


def offered_from(text: str, *, names_new: bool, recommended: bool) -> str:
    """Guess what the user has been offered or asked from the agent's words alone."""
    text = _TITLE.sub("", text)
    if names_new or "?" not in text:
        return ""
    question = text.rpartition("?")[0].rpartition(".")[2]
    if recommended:
        return "more" if _MORE.search(question) else ""
    return "led" if _LEADS.search(question) else "preference"
