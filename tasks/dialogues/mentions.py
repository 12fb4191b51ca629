"""Which items an utterance names: its placeholders, its brief's own titles written out, and any other title of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tasks.dialogues.folding import fold
from tasks.dialogues.titles import ARTICLES, Hit, longest, on_boundaries, stands_out, without_article

_SENTENCE_ENDS = '.!?:"'
_AFTERTHOUGHT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z")


class SlotItem(NamedTuple):
    """One item of a brief, as far as finding it goes."""

    slot: int
    item_id: str
    title: str


class OwnTitle(NamedTuple):
    """A brief's item with its title folded.

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


def own_title(item: SlotItem) -> OwnTitle:
    """Prepare one item of a brief."""
    return OwnTitle(item, *_spelled(item.title))


@lru_cache(maxsize=1 << 16)
def _spelled(written: str) -> tuple[tuple[str, ...], tuple[str, ...], str, bool]:
    title = fold(" ".join(written.split()))
    if not title:
        return (), (), "", False
    exact = (title, title[0].lower() + title[1:]) if title.startswith(ARTICLES) else (title,)
    short = _AFTERTHOUGHT.sub("", title) or title
    loose = tuple({title.lower(), short.lower()} if " " in short else {title, short})
    return exact, loose, without_article(short).lower(), stands_out(title)


def named_items(
    folded: str, slots: Sequence[int], own: Sequence[OwnTitle], written: Sequence[OwnTitle], due: Collection[int], others: Sequence[Hit]
) -> tuple[str, ...]:
    """Return the ids of the items an utterance names, those of the brief first, in slot order.

    Args:
        folded: the utterance, folded, its filled placeholders cut out.
        slots: the slots its placeholders name.
        own: the brief's items.
        written: those of them whose titles may stand in the dialogue as text.
        due: slots this turn introduces or may refer to; their titles are recognised in any spelling, the others' only where they stand out
            or are written as a title (in quotation marks, or with a capital inside a sentence).
        others: catalogue titles found in the utterance.
    """
    hits: list[Hit] = [hit for title in written for hit in _own_hits(folded, title, title.item.slot in due)]
    if not hits and not others:
        if not slots:
            return ()
        return tuple(title.item.item_id for title in own if title.item.slot in slots)
    found = longest([*hits, *others])  # a stable sort: of two equal stretches the brief's own comes first
    preferred = [title.item.item_id for title in sorted(own, key=lambda title: (title.item.slot not in due, title.item.slot))]
    named = {title.item.item_id for title in own if title.item.slot in slots}
    foreign: list[str] = []
    for hit in found:
        bearers = {*hit.item_ids, *(other.item_ids[0] for other in hits if other[:2] == hit[:2])}
        mine = next((item_id for item_id in preferred if item_id in bearers), None)
        if mine is not None:
            named.add(mine)
        elif hit.item_ids[0] not in foreign:
            foreign.append(hit.item_ids[0])
    return (*(title.item.item_id for title in own if title.item.item_id in named), *foreign)


def _own_hits(folded: str, own: OwnTitle, due: bool) -> Iterator[Hit]:
    if due:
        text = folded.lower() if " " in own.loose[0] else folded
        yield from (Hit(*span, (own.item.item_id,)) for spelling in own.loose for span in _places(text, spelling))
        return
    for spelling in own.spellings:
        for start, end in _places(folded, spelling):
            if own.plain or _written_as_title(folded, start, end):
                yield Hit(start, end, (own.item.item_id,))


def _places(text: str, piece: str) -> Iterator[tuple[int, int]]:
    start = text.find(piece)
    while start >= 0:
        end = start + len(piece)
        if on_boundaries(text, start, end):
            yield start, end
        start = text.find(piece, end)


def _written_as_title(folded: str, start: int, end: int) -> bool:
    """Tell whether a short title is meant as one: between marks, or with a capital where no sentence begins."""
    if start > 0 and folded[start - 1] == '"' and folded[end : end + 1] == '"':
        return True
    before = folded[:start].rstrip()
    return any(c.isupper() for c in folded[start:end]) and bool(before) and before[-1] not in _SENTENCE_ENDS and before[-1].isprintable()
