"""Which items an utterance names.

They are found by placeholder, by the written titles of the brief's own items, and by any other
title of the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tasks.dialogues.title_index import ARTICLES
from tasks.dialogues.title_matcher import (
    Catalogue,
    Hit,
    longest,
    places,
    stands_out,
    without_article,
)
from tasks.titles import names_sequel, unify_marks, year_end

_SENTENCE_ENDS = '.!?:"'
_AFTERTHOUGHT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z")


class SlotItem(NamedTuple):
    """One item of a brief: what is needed to find it."""

    slot: int
    item_id: str
    title: str


class OwnTitle(NamedTuple):
    """A brief's item with its title, marks unified.

    Attributes:
        spellings: how it is recognised where it is not due.
        loose: how it is recognised where it is due anyway.
        core: lower-case text that every spelling contains, to rule a title out quickly.
        plain: whether it is unmistakable in plain speech.
    """

    item: SlotItem
    spellings: tuple[str, ...]
    loose: tuple[str, ...]
    core: str
    plain: bool


class Brief(NamedTuple):
    """What an utterance is searched for.

    Attributes:
        own: the brief's items.
        written: those of them whose titles may be in the dialogue as text.
        catalogue: all titles of the domain.
    """

    own: Sequence[OwnTitle]
    written: Sequence[OwnTitle]
    catalogue: Catalogue


def own_title(item: SlotItem) -> OwnTitle:
    """Prepare one item of a brief."""
    return OwnTitle(item, *_spelled(item.title))


@lru_cache(maxsize=1 << 16)
def _spelled(written: str) -> tuple[tuple[str, ...], tuple[str, ...], str, bool]:
    title = unify_marks(" ".join(written.split()))
    if not title:
        return (), (), "", False
    exact = (title, title[0].lower() + title[1:]) if title.startswith(ARTICLES) else (title,)
    short = _AFTERTHOUGHT.sub("", title) or title
    loose = tuple({title.lower(), short.lower()} if " " in short else {title, short})
    return exact, loose, without_article(short).lower(), stands_out(title)


def named_items(
    text: str, slots: Sequence[int], brief: Brief, due: Collection[int], others: Sequence[Hit]
) -> tuple[str, ...]:
    """Return the ids of the items an utterance names, those of the brief first, in slot order.

    A due title with a sequel's number behind it names no item of the brief. Nor does one with a
    year in brackets where the catalogue has that title of that year.

    Args:
        text: the utterance, its marks unified, its filled placeholders cut out.
        slots: the slots its placeholders name.
        brief: what is looked for.
        due: slots this turn introduces or may refer to; their titles are recognised in any
            spelling, the others' only where they stand out or are written as a title (in quotation
            marks, or with a capital inside a sentence).
        others: catalogue titles found in the utterance.
    """
    hits = _brief_hits(text, brief, due)
    by_placeholder = [title.item.item_id for title in brief.own if title.item.slot in slots]
    # The common case: every item is a placeholder.
    if not hits and not others:
        return tuple(by_placeholder)
    named = set(by_placeholder)
    foreign: dict[str, None] = {}
    due_first = sorted(brief.own, key=lambda title: (title.item.slot not in due, title.item.slot))
    # A stable sort: of two equal spans the brief's own comes first.
    for hit in longest([*hits, *others]):
        item = _owner(hit, hits, due_first)
        if item is None:
            foreign[hit.item_ids[0]] = None
        elif item.slot not in due or not names_sequel(text, hit.end, item.title):
            named.add(item.item_id)
    own = (title.item.item_id for title in brief.own if title.item.item_id in named)
    return (*own, *foreign)


def _brief_hits(text: str, brief: Brief, due: Collection[int]) -> list[Hit]:
    """Return where an utterance has titles of the brief as text."""
    hits: list[Hit] = []
    for title in brief.written:
        hits.extend(_own_hits(text, title, title.item.slot in due, brief.catalogue))
    return hits


def _owner(hit: Hit, hits: Sequence[Hit], due_first: Sequence[OwnTitle]) -> SlotItem | None:
    """Return the first of the brief's items that has the title of a hit, or None."""
    same_span = (other.item_ids[0] for other in hits if other[:2] == hit[:2])
    ids = {*hit.item_ids, *same_span}
    return next((title.item for title in due_first if title.item.item_id in ids), None)


def _own_hits(text: str, own: OwnTitle, due: bool, catalogue: Catalogue) -> Iterator[Hit]:
    if due:
        yield from _due_hits(text, own, catalogue)
        return
    for spelling in own.spellings:
        for start, end in places(text, spelling):
            if own.plain or _written_as_title(text, start, end):
                yield Hit(start, end, (own.item.item_id,))


def _due_hits(text: str, own: OwnTitle, catalogue: Catalogue) -> Iterator[Hit]:
    """Yield hits of an expected title in any letter case, and of longer titles in its place."""
    searched = text.lower() if " " in own.loose[0] else text
    for spelling in own.loose:
        for start, end in places(searched, spelling):
            yield Hit(start, end, (own.item.item_id,))
    yield from longer_hits(text, own, catalogue)
    yield from dated_hits(text, own, catalogue)


def dated_hits(text: str, own: OwnTitle, catalogue: Catalogue) -> Iterator[Hit]:
    """Yield the catalogue's titles with a year in brackets that are an own one without it.

    "Heat (1986)" is no "Heat" if the catalogue has both.
    """
    for spelling in own.spellings:
        for start, end in places(text, spelling):
            last = year_end(text, end)
            ids = catalogue.items_called(text[start:last]) if last else ()
            if last and ids:
                yield Hit(start, last, ids)


def longer_hits(text: str, own: OwnTitle, catalogue: Catalogue) -> Iterator[Hit]:
    """Yield hits of longer catalogue titles that begin with an own one not written as a title.

    "the mummy returns" is no "The Mummy" in small letters.
    """
    if " " not in own.loose[0]:
        return
    small = text.lower()
    for spelling in own.loose:
        for start, end in places(small, spelling):
            if text[start:end] in own.spellings:
                continue
            for longer, ids in catalogue.longer(spelling):
                longer_end = start + len(longer)
                next_char = small[longer_end : longer_end + 1]
                if small.startswith(longer, start) and not next_char.isalnum():
                    yield Hit(start, longer_end, ids)


def _written_as_title(text: str, start: int, end: int) -> bool:
    """Return True if a short title is written as one.

    That is: between marks, before a year in brackets, or with a capital where no sentence begins.
    """
    if year_end(text, end) is not None:
        return True
    if start > 0 and text[start - 1] == '"' and text[end : end + 1] == '"':
        return True
    before = text[:start].rstrip()
    if not before or not any(c.isupper() for c in text[start:end]):
        return False
    return before[-1] not in _SENTENCE_ENDS and before[-1].isprintable()
