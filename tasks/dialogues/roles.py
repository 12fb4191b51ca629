"""Who speaks: the many names models give to the two speakers."""

from __future__ import annotations

_AGENTS = (
    "agent assistant system recommender bot chatbot ai ai_assistant ai_agent virtual_assistant recommender_system recommender_agent "
    "recommendation_system recommendation_agent recommendation_assistant conversational_agent assistant_agent ai_recommender rec_agent "
    "virtual_agent moviebot movie_expert movie_assistant shopping_assistant sales_assistant salesperson advisor consultant"
)
_USERS = (
    "user customer human seeker client shopper consumer movie_seeker user_agent viewer moviegoer movie_fan movie_lover buyer "
    "information_seeker"
)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in listed.split())


SPOKEN_NAMES = (*_names(_USERS), *_names(_AGENTS))
"""Names that may stand before a line of plain text."""

ROLE_NAMES = {
    **dict.fromkeys((*_names(_USERS), "u"), "user"),
    **dict.fromkeys((*_names(_AGENTS), "a", "model", "gpt", "llm", "expert"), "agent"),
}
_EDGES = " \t\r\n*_[](){}<>:#.\"'-"
_LONGEST = 20


def role_of(name: str) -> str:
    """Return "user" or "agent" for a speaker's name; an unknown name comes back as it is, at most 20 characters."""
    known = ROLE_NAMES.get(name) or ROLE_NAMES.get(name.lower())
    if known is not None:
        return known
    bare = " ".join(name.replace("_", " ").split()).strip(_EDGES).casefold()
    shown = "".join(char if char.isprintable() else "\ufffd" for char in bare[:_LONGEST])
    return ROLE_NAMES.get(bare) or ROLE_NAMES.get(bare.rstrip(" 0123456789"), shown or "unknown")
