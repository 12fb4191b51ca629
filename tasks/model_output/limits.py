"""How much of one answer is read, and which characters are replaced before it is."""

from __future__ import annotations

import re

MOST_CHARACTERS = 1_000_000
"""Characters read of one answer; a dialogue in a longer one is not complete."""
MOST_REPLY_CHARACTERS = 100_000
"""Characters read of a reply that should be short: recommendations, a verdict, one utterance."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def capped(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return at most `most` characters; NUL and lone surrogates, which nothing can store, are U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text[:most])
