"""How much of one answer is read, and which characters are replaced before it is."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeVar

MOST_CHARACTERS = 1_000_000
"""Characters read of one answer; a dialogue in a longer one is not complete."""
MOST_REPLY_CHARACTERS = 100_000
"""Characters read of a reply that should be short: recommendations, a verdict, one utterance."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def capped(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return at most `most` characters, with U+FFFD for NUL and lone surrogates."""
    return _UNSTORABLE.sub("\ufffd", text[:most])


_Read = TypeVar("_Read")
_LOG = logging.getLogger(__name__)


def read_or_else(
    reader: Callable[[str], _Read], text: str, unreadable: Callable[[str], _Read]
) -> _Read:
    """Return what a reader makes of an answer; where it raises, what `unreadable` makes of why.

    Readers are written so that no text makes them raise. An answer that does all the same is one
    unreadable answer and must not end the stage that reads it, so everything is caught here, and
    its kind is logged and handed on. The answer's text is in neither.
    """
    try:
        return reader(text)
    except Exception as error:
        reason = f"the reader failed with {type(error).__name__}"
        _LOG.warning("an answer of %d characters is unreadable: %s", len(text), reason)
        return unreadable(reason)
