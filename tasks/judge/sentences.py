"""Reviews as numbered sentences, so that a verdict can name the one that decides."""

from __future__ import annotations

import re
from typing import Literal

Whose = Literal["u", "o"]  # the user's own review, or another person's
_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[.!?\u2026][\"')\u201d\u2019])\s+|(?<=[。！？])|\n+")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order; a text without an end mark is one."""
    return [piece for piece in (part.strip() for part in _END.split(text)) if piece]


def numbered(slot: int, whose: Whose, text: str) -> dict[str, str]:
    """Return a review's sentences by id, such as `1u2`: item 1, the user's own, the second."""
    return {
        f"{slot}{whose}{number}": sentence
        for number, sentence in enumerate(sentences(text), start=1)
    }
