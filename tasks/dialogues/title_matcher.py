"""Finds catalogue titles in utterances, in one pass over the text for millions of titles.

A title that could be everyday speech must not be found there, so the match required depends on how
common the title looks:

- Two or more words with capitals ("Mystic River", "Home Alone"): as written, on word boundaries; a
  leading article may be lower-case.
- One word of letters and digits, 5 or more ("B0002E1G5C", "XLR8R"): as written, on word boundaries.
- Any other ("It", "Home", "The Game", "how to cook"): as written, between quotation or emphasis
  marks.

The pass looks only for titles whose first words are in the texts side by side (`TitleIndex`).

"As written" keeps letter case. Of overlapping titles the longest wins, so "The Mummy Returns" is
not "The Mummy".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import ahocorasick

from tasks.dialogues.title_index import ARTICLES, TitleIndex

_ARTICLE = re.compile("|".join(ARTICLES))
_WORD = re.compile(r"[^\W_]+")
_BREAK = "\n"
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
        """Take (item id, clean title) pairs; items without a title are never found."""
        self._index = TitleIndex(items)

    def items_called(self, title: str) -> tuple[str, ...]:
        """Return the items with exactly this title, its marks unified."""
        return self._index.items_called(title)

    def longer(self, title: str) -> list[tuple[str, tuple[str, ...]]]:
        """Return the lower-case titles that begin with a title and stand out, with their items."""
        found = self._index.beginning_with(f"{title.lower()} ")
        return sorted((known.lower(), ids) for known, ids in found.items() if stands_out(known))

    def find(self, texts: Sequence[str]) -> list[list[Hit]]:
        """Return the titles that each text names.

        Args:
            texts: texts without line breaks, their marks unified.

        Returns:
            For each text its hits in order; none overlap.
        """
        hits: list[list[Hit]] = [[] for _ in texts]
        whole = _BREAK.join(texts)
        automaton = _automaton(self._index.candidates(whole))
        if automaton is None:
            return hits
        starts = [0]
        for text in texts[:-1]:
            starts.append(starts[-1] + len(text) + 1)
        for last, (length, ids) in automaton.iter(whole):
            start, end = last - length + 1, last + 1
            if on_boundaries(whole, start, end):
                place = bisect_right(starts, start) - 1
                hits[place].append(Hit(start - starts[place], end - starts[place], ids))
        return [longest(found) if len(found) > 1 else found for found in hits]


def _automaton(titles: Mapping[str, tuple[str, ...]]) -> Any:
    """Return an automaton that finds all spellings of titles; None without any."""
    if not titles:
        return None
    automaton = ahocorasick.Automaton()
    for title, ids in titles.items():
        for spelling in spellings(title):
            automaton.add_word(spelling, (len(spelling), ids))
    automaton.make_automaton()
    return automaton


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
