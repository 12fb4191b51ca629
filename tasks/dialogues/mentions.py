"""Which items an utterance names: its placeholders, its brief's own titles written out, and any other title of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tasks.dialogues.title_matcher import (
    ARTICLES,
    Catalogue,
    Hit,
    longest,
    places,
    stands_out,
    without_article,
)
from tasks.titles import names_sequel, unify_marks

_SENTENCE_ENDS = '.!?:"'
_AFTERTHOUGHT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z")


class SlotItem(NamedTuple):
    """One item of a brief, as far as finding it goes."""

    slot: int
    item_id: str
    title: str


class OwnTitle(NamedTuple):
    """A brief's item with its title, marks unified.

    Attributes:
        spellings: how it is recognised where it is not due.
        loose: how it is recognised where it is due anyway.
        core: small letters that every spelling holds, to see quickly that none is there.
        plain: whether it stands out in plain speech.
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
        written: those of them whose titles may stand in the dialogue as text.
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

    A due title with a sequel's number behind it names no item of the brief.

    Args:
        text: the utterance, its marks unified, its filled placeholders cut out.
        slots: the slots its placeholders name.
        brief: what is looked for.
        due: slots this turn introduces or may refer to; their titles are recognised in any
            spelling, the others' only where they stand out or are written as a title (in quotation
            marks, or with a capital inside a sentence).
        others: catalogue titles found in the utterance.
    """
    hits = [
        hit
        for title in brief.written
        for hit in _own_hits(text, title, title.item.slot in due, brief.catalogue)
    ]
    if not hits and not others:  # the common case: every item is a placeholder
        return (
            tuple(title.item.item_id for title in brief.own if title.item.slot in slots)
            if slots
            else ()
        )
    named = {title.item.item_id for title in brief.own if title.item.slot in slots}
    foreign: dict[str, None] = {}
    by_need = sorted(brief.own, key=lambda title: (title.item.slot not in due, title.item.slot))
    # A stable sort: of two equal stretches the brief's own comes first.
    for hit in longest([*hits, *others]):
        mine = _owner(hit, hits, by_need)
        if mine is None:
            foreign[hit.item_ids[0]] = None
        elif mine.slot not in due or not names_sequel(text, hit.end, mine.title):
            named.add(mine.item_id)
    return (*(title.item.item_id for title in brief.own if title.item.item_id in named), *foreign)


def _owner(hit: Hit, hits: Sequence[Hit], by_need: Sequence[OwnTitle]) -> SlotItem | None:
    """Return the first of the brief's items that bears a title found, or None."""
    bearers = {*hit.item_ids, *(other.item_ids[0] for other in hits if other[:2] == hit[:2])}
    return next((title.item for title in by_need if title.item.item_id in bearers), None)


def _own_hits(text: str, own: OwnTitle, due: bool, catalogue: Catalogue) -> Iterator[Hit]:
    if due:
        yield from _due_hits(text, own, catalogue)
        return
    for spelling in own.spellings:
        for start, end in places(text, spelling):
            if own.plain or _written_as_title(text, start, end):
                yield Hit(start, end, (own.item.item_id,))


def _due_hits(text: str, own: OwnTitle, catalogue: Catalogue) -> Iterator[Hit]:
    """Yield where a due title stands in any letter case; a longer title of the catalogue in its place is that one."""
    searched = text.lower() if " " in own.loose[0] else text
    for spelling in own.loose:
        for start, end in places(searched, spelling):
            yield Hit(start, end, (own.item.item_id,))
    yield from longer_hits(text, own, catalogue)


def longer_hits(text: str, own: OwnTitle, catalogue: Catalogue) -> Iterator[Hit]:
    """Yield where a longer title of the catalogue begins with an own one that is not written as a title.

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
                if (
                    small.startswith(longer, start)
                    and not small[start + len(longer) :][:1].isalnum()
                ):
                    yield Hit(start, start + len(longer), ids)


def _written_as_title(text: str, start: int, end: int) -> bool:
    """Return True if a short title is meant as one: between marks, or with a capital where no sentence begins."""
    if start > 0 and text[start - 1] == '"' and text[end : end + 1] == '"':
        return True
    before = text[:start].rstrip()
    if not before or not any(c.isupper() for c in text[start:end]):
        return False
    return before[-1] not in _SENTENCE_ENDS and before[-1].isprintable()
