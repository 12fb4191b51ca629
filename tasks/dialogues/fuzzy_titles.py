"""Recognises an expected title in a spelling other than the catalogue's, where that is certain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tasks.dialogues.title_matcher import Hit, places, stands_out, without_article
from tasks.titles import (
    SPOKEN_WORD,
    names_sequel,
    numbers_differ,
    numerals_in_digits,
    spoken_key,
    spoken_words,
    unify_marks,
    work_key,
)

_PARTS = re.compile(
    r":\s+|\s+-\s+|\s*[(\[][^()\[\]]*[)\]]"
    r"|,\s+(?=(?:vol|volume|book|part|season|episode|no|number)\b)",
    re.IGNORECASE,
)
_MARKED = re.compile('"([^"]{1,100})"')
_AFTERTHOUGHT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z")
# Letters and digits that a title of several words needs to be recognised in any letter case.
_SHORTEST = 5


def names_fuzzily(text: str, title: str, others: Sequence[Hit]) -> bool:
    """Return True if an utterance names a title in another spelling, and no sequel of it.

    That is: equal at the strength "spoken" of `tasks.titles`, where of one word a capital must be
    left, or it must be between marks ("Monsters Inc", "WALL-E", "Leon: The Professional"); or
    its main title or subtitle alone, written as a title of two words or more, where no other item
    is called so.

    Args:
        text: the utterance, its marks unified.
        title: the catalogue's title.
        others: other items' titles found in the utterance.
    """
    composed = unicodedata.normalize("NFC", text)
    ends = [end for end in _title_ends(composed, title) if not _inside(end, others)]
    if any(not names_sequel(composed, end, title) for end in ends):
        return True
    return any(not names_sequel(text, end, title) for end in _part_ends(text, title, others))


def _inside(end: int, others: Sequence[Hit]) -> bool:
    return any(other.start < end <= other.end for other in others)


def is_title_of(phrase: str, title: str) -> bool:
    """Return True if a phrase is a title, its main title or its subtitle, in any spelling."""
    if numbers_differ(phrase, title):
        return False
    return not _readings(phrase).isdisjoint(_readings(title))


@lru_cache(maxsize=1 << 14)
def title_parts(title: str) -> tuple[str, ...]:
    """Return the main title and the subtitles of a title that look like titles, marks unified."""
    parts = [part.strip(" .,") for part in _PARTS.split(unify_marks(title))]
    if len(parts) < 2:
        return ()
    return tuple(part for part in dict.fromkeys(parts) if part and stands_out(part))


@lru_cache(maxsize=1 << 14)
def _readings(title: str) -> frozenset[str]:
    names = (title, _AFTERTHOUGHT.sub("", title) or title, *title_parts(title))
    return frozenset(map(spoken_key, names))


@lru_cache(maxsize=1 << 14)
def _spoken(title: str) -> tuple[str, bool]:
    """Return a title's key without a remark in brackets, and whether it has several words."""
    bare = _AFTERTHOUGHT.sub("", title) or title
    return spoken_key(bare), len(work_key(bare).split()) > 1


def _title_ends(text: str, title: str) -> Iterator[int]:
    key, several = _spoken(title)
    if not key:
        return
    if several and len(key) >= _SHORTEST:
        yield from _run_ends(text, key)
    yield from _marked_ends(text, key)
    yield from _capital_ends(text, key)


def _marked_ends(text: str, key: str) -> Iterator[int]:
    return (found.end() for found in _MARKED.finditer(text) if spoken_key(found[1]) == key)


def _capital_ends(text: str, key: str) -> Iterator[int]:
    """Yield where words end that are the title and begin with a capital."""
    for found in SPOKEN_WORD.finditer(text):
        if found[0][0].isupper() and key in spoken_words(found[0]):
            yield found.end()


def _run_ends(text: str, key: str) -> Iterator[int]:
    """Yield where runs of words end that are the title, spaces and every "and" left out."""
    words = [word for word in _text_words(text) if word[0] != "and"]
    ends = [end for _, end in words]
    as_written = [word for word, _ in words]
    in_digits = numerals_in_digits(" ".join(as_written)).split()
    yield from (ends[last] for last in _runs(as_written, key))
    if in_digits != as_written:
        yield from (ends[last] for last in _runs(in_digits, key))


def _runs(words: Sequence[str], key: str) -> Iterator[int]:
    """Yield the place of the last word of each run of words that, joined, are the key."""
    for first, word in enumerate(words):
        if not key.startswith(word):
            continue
        joined = ""
        for last in range(first, len(words)):
            joined += words[last]
            if joined == key:
                yield last
            if not key.startswith(joined):
                break


def _text_words(text: str) -> Iterator[tuple[str, int]]:
    """Yield the folded words of a text, each with where it ends; one word may fold to several."""
    for found in SPOKEN_WORD.finditer(text):
        for word in spoken_words(found[0]):
            yield word, found.end()


def _part_ends(text: str, title: str, others: Sequence[Hit]) -> Iterator[int]:
    """Yield where a main title or subtitle ends on its own, outside the other titles."""
    for part in title_parts(title):
        for spelling in filter(stands_out, dict.fromkeys((part, without_article(part)))):
            for start, end in places(text, spelling):
                if not any(hit.start <= start < hit.end for hit in others):
                    yield end
