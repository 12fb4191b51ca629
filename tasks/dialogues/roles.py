"""Who speaks: the many names models give to the two speakers."""

from __future__ import annotations

ROLE_NAMES = {
    **dict.fromkeys(("user", "customer", "human", "seeker", "client", "u"), "user"),
    **dict.fromkeys(("agent", "assistant", "system", "recommender", "bot", "ai", "a"), "agent"),
}
_EDGES = " \t\r\n*_[](){}<>:#.\"'-"
_LONGEST = 20


def role_of(name: str) -> str:
    """Return "user" or "agent" for a speaker's name; an unknown name comes back as it is, at most 20 characters."""
    bare = name.strip(_EDGES).casefold()
    return ROLE_NAMES.get(bare, bare[:_LONGEST] or "unknown")
