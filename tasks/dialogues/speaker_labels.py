"""Recognises the label that opens a turn in plain text.

`User:`, `**Agent:**`, `3. [User]`, `User (greeting):`, `Turn 4 - Agent:`, `Ann (User):`, and a
speaker's name alone on its line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_AGENTS = (
    "agent assistant system recommender bot chatbot ai ai_assistant ai_agent virtual_assistant "
    "recommender_system recommender_agent recommendation_system recommendation_agent "
    "recommendation_assistant conversational_agent assistant_agent ai_recommender rec_agent "
    "virtual_agent moviebot movie_expert movie_assistant shopping_assistant sales_assistant "
    "salesperson advisor consultant"
)
_USERS = (
    "user customer human seeker client shopper consumer movie_seeker user_agent viewer moviegoer "
    "movie_fan movie_lover buyer information_seeker"
)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in listed.split())


SPOKEN_NAMES = (*_names(_USERS), *_names(_AGENTS))
"""Names that may open a line of plain text."""

ROLE_NAMES = {
    **dict.fromkeys((*_names(_USERS), "u"), "user"),
    **dict.fromkeys((*_names(_AGENTS), "a", "model", "gpt", "llm", "expert"), "agent"),
}
_EDGES = " \t\r\n*_[](){}<>:#.\"'-"
_LONGEST = 20


def role_of(name: str) -> str:
    """Return "user" or "agent" for a speaker's name.

    An unknown name is returned as it is, at most 20 characters of it.
    """
    known = ROLE_NAMES.get(name) or ROLE_NAMES.get(name.lower())
    if known is not None:
        return known
    bare = " ".join(name.replace("_", " ").split()).strip(_EDGES).casefold()
    shown = "".join(char if char.isprintable() else "\ufffd" for char in bare[:_LONGEST])
    return ROLE_NAMES.get(bare) or ROLE_NAMES.get(bare.rstrip(" 0123456789"), shown or "unknown")


_NAMES = "|".join(
    name.replace(" ", r"[ _]") for name in sorted(SPOKEN_NAMES, key=len, reverse=True)
)
_LABEL = re.compile(
    rf"""(?:[^\w\n]|_){{0,10}}                    # quoting, bold, heading, bullet, emoji, bracket
        (?:(?:turn|utterance|line)?\s*\#?\d{{1,3}}[^\w\n]{{1,6}})?  # 1.  2)  Turn 3:
        (?:the\s+)?(?P<role>{_NAMES})
        (?:\s*\#?\d{{1,3}})?
        (?:\s?[\u2190-\U0001faff\ufe0f\u200d]{{1,4}})?          # User and a picture
        [*_]{{0,3}}
        (?:\s*(?:\([^()\n]{{0,80}}\)|\[[^\[\]\n]{{0,80}}\])){{0,2}}  # User (Greeting):
        (?:\s*[\])>|]+[*_]{{0,3}}\s*[:-]?
          |[*_]{{0,3}}\s*[:\uff1a]
          |\s*(?:[-=]>|[\u2013\u2014\u2192])(?=\s)
          |\s+-(?=\s)
          |\s+(?:says|said|asks|replies|responds)\s*[:,]
          |[*_]{{0,3}}\s*\Z)
        [*_]{{0,3}}\s*(?P<text>.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_OTHER = re.compile(
    r"[*_\[]{0,3}(?P<role>[A-Z][\w'.-]{0,15}(?: [A-Z][\w'.-]{0,15})?)[\]*_]{0,3}"
    r":[*_]{0,3}\s+(?P<text>\S.*)",
    re.DOTALL,
)
_NAMED = re.compile(
    rf"[*_]{{0,3}}[A-Z][\w'.-]{{0,15}}[*_]{{0,3}}\s*[(\[](?P<role>{_NAMES})[)\]]"
    r"[*_]{0,3}:[*_]{0,3}\s*(?P<text>.*)",
    re.IGNORECASE | re.DOTALL,
)
_RUN_ON = re.compile(
    r"(?<=[.!?\u2026\"\u201d])(?<!\d\.)[ \t]+"
    r"(?=[*_]{0,3}(?:User|Agent|Assistant|Recommender|Seeker|Customer)[*_]{0,3}:)"
)
_INLINE_NAMES = ("User", "Agent", "Assistant", "Recommender", "Seeker", "Customer")
_INLINE = (
    *(f" {name}" for name in _INLINE_NAMES),
    *(f"*{name}" for name in _INLINE_NAMES),
    *(f"_{name}" for name in _INLINE_NAMES),
)
_CLOSING_TAG = re.compile(rf"\s*</\s*(?:{_NAMES})\s*>\s*\Z", re.IGNORECASE)


class Label(NamedTuple):
    """Who opens a turn, and the rest of the line."""

    role: str
    text: str


def labelled(line: str) -> Label | None:
    """Return the label a line opens with, or None."""
    found = _LABEL.match(line) or (_NAMED.match(line) if ":" in line else None)
    if found is None:
        return None
    text = found["text"]
    if line.lstrip().startswith("|"):  # a row of a table
        text = text.rstrip(" |")
    return Label(role_of(found["role"]), _CLOSING_TAG.sub("", text) if "</" in text else text)


def labelled_otherwise(line: str) -> Label | None:
    """Return the label of a speaker who is neither user nor agent ("Narrator: ..."), or None."""
    found = _OTHER.match(line)
    return Label(role_of(found["role"]), found["text"]) if found else None


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; turns that run on in one line are put on lines of their own."""
    if any(name in text for name in _INLINE):
        text = _RUN_ON.sub("\n", text)
    return text.splitlines()


def without_own_label(role: str, text: str) -> str:
    """Return a text without a label that repeats its speaker ("User: Hi" by the user)."""
    if ":" not in text[:40]:
        return text
    label = labelled(text)
    if label is None or label.role != role:
        return text
    has_colon = ":" in text[: len(text) - len(label.text)]
    return label.text if has_colon else text
