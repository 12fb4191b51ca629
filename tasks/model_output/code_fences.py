"""Takes off code fences."""

from __future__ import annotations

import re

_FENCE = re.compile(r"```|~~~")
_OPENING = re.compile(r"(?:```|~~~)[a-zA-Z0-9_+-]{0,20}")
_LANGUAGE = re.compile(r"[\w+-]{0,20}[ \t]{0,8}\r?\n|[a-zA-Z]{1,10}[ \t]{1,8}(?=[\[{])")


def unfenced(text: str) -> str:
    """Return the inside of the one code fence that holds at least half of a text; else the text."""
    pieces = _FENCE.split(text, maxsplit=3)
    if len(pieces) != 3 or 2 * len(pieces[1]) < len(text):
        return text
    language = _LANGUAGE.match(pieces[1])
    return pieces[1][language.end() :] if language else pieces[1]


def without_fences(text: str) -> str:
    """Return text without its fences; what is inside them and around them stays."""
    return _OPENING.sub("", text) if "```" in text or "~~~" in text else text
