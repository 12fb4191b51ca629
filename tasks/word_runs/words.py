"""What a word is where texts are compared word by word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

MARKS: Final = (
    ".,!?;:\"'()[]{}<>*_~`-\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d\u2026/\\|"
)
"""Signs that are no part of a word where they stand at its edges."""
BREAKS: Final = ("\n", "\r", "\t", "\u2013", "\u2014", "\u2026", "...", "--")
"""What parts two words, as a space does."""
_PIECE = re.compile(rf"(?:(?!{'|'.join(map(re.escape, BREAKS))})[^ ])+")


class Word(NamedTuple):
    """A word in small letters, any apostrophe the same, and the characters of the text it stands at."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a text without letter case and outer punctuation; punctuation alone is no word."""
    found = []
    for piece in _PIECE.finditer(text):
        start = piece.start() + len(piece[0]) - len(piece[0].lstrip(MARKS))
        bare = piece[0].strip(MARKS)
        if bare:
            found.append(Word(bare.lower().replace("\u2019", "'"), start, start + len(bare)))
    return tuple(found)
