"""Finds catalogue titles in utterances, in one pass over the text for 110,000 titles and more.

A title that could be everyday speech must not be found there, so the match required depends on how
common the title looks:

- Two or more words with capitals ("Mystic River", "Home Alone"): as written, on word boundaries; a
  leading article may be lower-case.
- One word of letters and digits, 5 or more ("B0002E1G5C", "XLR8R"): as written, on word boundaries.
- Any other ("It", "Home", "The Game", "how to cook"): as written, between quotation or emphasis
  marks.

"As written" keeps letter case. Of overlapping titles the longest wins, so "The Mummy Returns" is
not "The Mummy".
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import ahocorasick

from tasks.titles import unify_marks

ARTICLES = ("The ", "A ", "An ")
_ARTICLE = re.compile("|".join(ARTICLES))
_WORD = re.compile(r"[^\W_]+")
_BREAK = "\n"
_LAST = "\U0010ffff"  # the greatest character
_SHORTEST_CODE = 5


class Hit(NamedTuple):
    """One title in one text: characters `start` to `end`, and the ids of the items with it."""

    start: int
    end: int
    item_ids: tuple[str, ...]


def stands_out(title: str) -> bool:
    """Return True if a title, its marks unified, is recognised without quotation marks."""
    capitals = 0
    words = _WORD.findall(without_article(title))
    for word in words:
        capitals += word[0].isupper() and word != "I"
        if capitals == 2:
            return True
    return len(words) == 1 and len(words[0]) >= _SHORTEST_CODE and _is_code(words[0])


def _is_code(word: str) -> bool:
    return any(c.isdigit() for c in word) and any(c.isalpha() for c in word)


def without_article(title: str) -> str:
    """Return a title without its leading article."""
    article = _ARTICLE.match(title)
    return title[article.end() :] if article else title


def spellings(title: str) -> tuple[str, ...]:
    """Return the ways a title may be written in a text, the marks of both unified."""
    small = title[0].lower() + title[1:] if title.startswith(ARTICLES) else ""
    if stands_out(title):
        return (title, small) if small else (title,)
    return (f'"{title}"', f'"{small}"') if small else (f'"{title}"',)


class Catalogue:
    """All titles of a domain, ready to be looked for."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        """Take (item id, clean title) pairs; items without a title are never found.

        About 1 s and 100 MB for 110,000 titles.
        """
        known = [(item_id, " ".join(title.split())) for item_id, title in items]
        folded = (
            unify_marks(_BREAK.join(title for _, title in known)).split(_BREAK) if known else []
        )
        ids_by_title: dict[str, list[str]] = {}
        for (item_id, _), title in zip(known, folded, strict=True):
            if _WORD.search(title):
                ids_by_title.setdefault(title, []).append(item_id)
        self._automaton = ahocorasick.Automaton()
        for title, ids in ids_by_title.items():
            for spelling in spellings(title):
                self._automaton.add_word(spelling, (len(spelling), tuple(sorted(ids))))
        self._ids_by_title = ids_by_title
        self._empty = not ids_by_title
        if not self._empty:
            self._automaton.make_automaton()

    def items_called(self, title: str) -> tuple[str, ...]:
        """Return the items with exactly this title, its marks unified."""
        return tuple(sorted(self._ids_by_title.get(title, ())))

    def longer(self, title: str) -> list[tuple[str, tuple[str, ...]]]:
        """Return the lower-case titles that begin with a title and stand out, with their items."""
        small = f"{title.lower()} "
        first = bisect_left(self._sorted, (small,))
        return self._sorted[first : bisect_left(self._sorted, (small + _LAST,))]

    @cached_property
    def _sorted(self) -> list[tuple[str, tuple[str, ...]]]:
        distinct = ((title, ids) for title, ids in self._ids_by_title.items() if stands_out(title))
        return sorted((title.lower(), tuple(sorted(ids))) for title, ids in distinct)

    def find(self, texts: Sequence[str]) -> list[list[Hit]]:
        """Return the titles that each text names.

        Args:
            texts: texts without line breaks, their marks unified.

        Returns:
            For each text its hits in order; none overlap.
        """
        hits: list[list[Hit]] = [[] for _ in texts]
        if self._empty:
            return hits
        whole = _BREAK.join(texts)
        starts = [0]
        for text in texts[:-1]:
            starts.append(starts[-1] + len(text) + 1)
        for last, (length, ids) in self._automaton.iter(whole):
            start, end = last - length + 1, last + 1
            if on_boundaries(whole, start, end):
                place = bisect_right(starts, start) - 1
                hits[place].append(Hit(start - starts[place], end - starts[place], ids))
        return [longest(found) if len(found) > 1 else found for found in hits]


def on_boundaries(text: str, start: int, end: int) -> bool:
    """Return True if the stretch is not part of a longer word on either side."""
    return not (start > 0 and text[start].isalnum() and text[start - 1].isalnum()) and not (
        end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    )


def places(text: str, piece: str) -> Iterator[tuple[int, int]]:
    """Yield where a piece of text begins and ends in a text, on word boundaries."""
    start = text.find(piece)
    while start >= 0:
        end = start + len(piece)
        if on_boundaries(text, start, end):
            yield start, end
        start = text.find(piece, end)


def longest(hits: Sequence[Hit]) -> list[Hit]:
    """Return hits that do not overlap, longer ones first choice, in text order."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start - hit.end, hit.start)):
        if all(hit.end <= other.start or hit.start >= other.end for other in kept):
            kept.append(hit)
    return sorted(kept)
