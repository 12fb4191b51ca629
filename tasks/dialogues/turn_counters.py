"""Takes off what a writer counts beside the speech: the number of each turn before it, its words behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.dialogues.values import RawTurn

_NUMBER = re.compile(r"\s*[(\[]?(\d{1,3})[.):\]]\)?\s+")
_WORDS = re.compile(
    r"\s*[*_]{0,2}[(\[]\s*(?:word count\W{1,3})?\d{1,3}(?: words?)?\s*[)\]][*_]{0,2}\s*\Z",
    re.IGNORECASE,
)
_LONGEST_COUNT = 60  # characters of a word count at the end of a text


def without_counts(turns: Sequence[RawTurn]) -> tuple[RawTurn, ...]:
    """Return turns without their numbers where every one bears its own, and without word counts where every one has one."""
    if len(turns) < 2:
        return tuple(turns)
    for find, kept in ((_own_number, _after), (_word_count, _before)):
        found = [find(place, turn.text) for place, turn in enumerate(turns[:2], 1)]
        if None not in found:
            found += [find(place, turn.text) for place, turn in enumerate(turns[2:], 3)]
        if None not in found:
            turns = [
                RawTurn(turn.role, kept(turn.text, mark))
                for turn, mark in zip(turns, found, strict=True)
                if mark is not None
            ]
    return tuple(turns)


def _own_number(place: int, text: str) -> re.Match[str] | None:
    found = _NUMBER.match(text)
    return found if found is not None and int(found[1]) == place else None


def _word_count(_: int, text: str) -> re.Match[str] | None:
    if not text.rstrip(" *_").endswith((")", "]")):
        return None
    return _WORDS.search(text, max(len(text) - _LONGEST_COUNT, 0))


def _after(text: str, mark: re.Match[str]) -> str:
    return text[mark.end() :]


def _before(text: str, mark: re.Match[str]) -> str:
    return text[: mark.start()]
