"""Editions of one work: items whose cleaned titles read the same."""

from __future__ import annotations

import unicodedata

_APOSTROPHES = frozenset("'\u2018\u2019\u02bc`")
_MEANINGFUL = frozenset("#%@*")  # punctuation by Unicode's book, but part of a name: C#, 100%
_ACCENTS = ("\u0300", "\u036f")


def work_key(title: str) -> str:
    """Return what a cleaned title says, for comparison: two items are editions of one work if their keys are equal.

    Case, accents, apostrophes and runs of spaces and punctuation make no difference, `&` reads `and`; letters, digits, symbols
    (`+`, `$`, emoji) and `# % @ *` do. A title of punctuation alone is its own key. The medium and the edition are not in a
    cleaned title any more, a year is: remakes told apart by their years stay apart, those of one bare title cannot be.
    """
    plain = unicodedata.normalize("NFKD", title.casefold().replace("&", " and "))
    kept = "".join(_sign(char) for char in plain if char not in _APOSTROPHES and not _ACCENTS[0] <= char <= _ACCENTS[1])
    return " ".join(kept.split()) or title


def _sign(char: str) -> str:
    return " " if unicodedata.category(char).startswith("P") and char not in _MEANINGFUL else char
