"""The definition of a word for comparing texts word by word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

MARKS: Final = (
    ".,!?;:\"'()[]{}<>*_~`-\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d\u2026/\\|"
)
"""Signs that are not part of a word at its start or end."""
BREAKS: Final = ("\n", "\r", "\t", "\u2013", "\u2014", "\u2026", "...", "--")
"""What separates two words, besides a space."""
_BREAK = re.compile("|".join(map(re.escape, BREAKS)))
_PIECE = re.compile(rf"(?:(?!{'|'.join(map(re.escape, BREAKS))})[^ ])+")


class Word(NamedTuple):
    """A word in lower case, with one kind of apostrophe, and its position in the text."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a text in lower case, without outer punctuation."""
    words = []
    for piece in _PIECE.finditer(text):
        start = piece.start() + len(piece[0]) - len(piece[0].lstrip(MARKS))
        bare = piece[0].strip(MARKS)
        if bare:
            words.append(Word(bare.lower().replace("\u2019", "'"), start, start + len(bare)))
    return tuple(words)


def texts_of(text: str) -> list[str]:
    """Return the texts of `words_of` without their places, which is several times faster."""
    pieces = _BREAK.sub(" ", text).split(" ")
    # Put back together, so that all of them become small letters in one call.
    bare = " ".join(word for piece in pieces if (word := piece.strip(MARKS)))
    return bare.lower().replace("\u2019", "'").split(" ") if bare else []
