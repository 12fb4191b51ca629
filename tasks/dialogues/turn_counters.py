"""Removes the counts some models write: turn numbers before, word counts after the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tasks.dialogues.values import RawTurn

_NUMBER = re.compile(r"\s*[(\[]?(\d{1,3})[.):\]]\)?\s+")
_WORDS = re.compile(
    r"\s*[*_]{0,2}[(\[]\s*(?:word count\W{1,3})?\d{1,3}(?: words?)?\s*[)\]][*_]{0,2}\s*\Z",
    re.IGNORECASE,
)
_LONGEST_COUNT = 60  # characters of a word count at the end of a text
_Find = Callable[[int, str], re.Match[str] | None]


def without_counts(turns: Sequence[RawTurn]) -> tuple[RawTurn, ...]:
    """Return turns without numbers and word counts, each removed only if every turn has it."""
    if len(turns) < 2:
        return tuple(turns)
    for find, without in ((_own_number, _after), (_word_count, _before)):
        counts = _count_of_each(turns, find)
        if counts is not None:
            pairs = zip(turns, counts, strict=True)
            turns = [RawTurn(turn.role, without(turn.text, count)) for turn, count in pairs]
    return tuple(turns)


def _count_of_each(turns: Sequence[RawTurn], find: _Find) -> list[re.Match[str]] | None:
    """Return the count in each turn; None as soon as one has none."""
    counts: list[re.Match[str]] = []
    for number, turn in enumerate(turns, 1):
        count = find(number, turn.text)
        if count is None:
            return None
        counts.append(count)
    return counts


def _own_number(number: int, text: str) -> re.Match[str] | None:
    match = _NUMBER.match(text)
    return match if match is not None and int(match[1]) == number else None


def _word_count(_: int, text: str) -> re.Match[str] | None:
    if not text.rstrip(" *_").endswith((")", "]")):
        return None
    return _WORDS.search(text, max(len(text) - _LONGEST_COUNT, 0))


def _after(text: str, mark: re.Match[str]) -> str:
    return text[mark.end() :]


def _before(text: str, mark: re.Match[str]) -> str:
    return text[: mark.start()]
