"""A user's history, and the items a template's slots are filled with from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tasks.fingerprint import unit
from tasks.templates import Collection, Template
from tasks.titles import work_key

_HISTORY: tuple[Collection, Collection] = ("LIKES", "DISLIKES")


class Preferred(NamedTuple):
    """One item of a user's preferences, with what a dialogue needs to know of it.

    `title` is None for an item without one; `work_id` is shared by items that are the same work.
    """

    item_id: str
    collection: Collection
    title: str | None
    work_id: str | None
    rating: float | None
    review_id: str | None


@dataclass(frozen=True)
class Shelf:
    """What one user can talk about.

    Two items are the same work when they share a work id or a title, at the strength "work" of
    `tasks.titles`. What is both liked and disliked under two ids says nothing clear and is left out
    of both; a dialogue never has two items of one work.

    Attributes:
        history: items of LIKES and of DISLIKES in time order, with a number for the work of each.
        targets: items of MIGHT_LIKES in order.
        known: works of the whole history, also those left out.
        works: each item's work.
    """

    history: Mapping[Collection, Sequence[tuple[Preferred, int]]]
    targets: Sequence[Preferred]
    known: frozenset[int]
    works: Mapping[str, int]

    def works_of(self, collection: Collection) -> int:
        """Return how many different works of a collection a dialogue can draw on."""
        return len({work for _, work in self.history[collection]})


def shelve(preferred: Sequence[Preferred]) -> Shelf:
    """Sort one user's preferences, each collection in its order of time, onto a shelf."""
    works = _works(preferred)
    placed: dict[Collection, list[tuple[Preferred, int]]] = {"LIKES": [], "DISLIKES": [], "MIGHT_LIKES": []}
    for item in preferred:
        placed[item.collection].append((item, works[item.item_id]))
    liked, disliked = ({work for _, work in placed[collection]} for collection in _HISTORY)
    unclear = liked & disliked
    usable: dict[Collection, list[tuple[Preferred, int]]] = {
        collection: [(item, work) for item, work in placed[collection] if work not in unclear and item.title is not None]
        for collection in _HISTORY
    }
    return Shelf(
        history=usable,
        targets=[item for item, _ in placed["MIGHT_LIKES"]],
        known=frozenset(liked | disliked),
        works=works,
    )


def fill(shelf: Shelf, template: Template, target: Preferred, seed: int, user_id: str, position: int) -> list[Preferred]:
    """Return an item for each slot of a template, drawn from seed, user, position and slot; no two of one work.

    Raises:
        LookupError: the shelf has too few works for the template.
    """
    taken = {shelf.works[target.item_id]}
    filled = []
    for slot in template.slots:
        if slot.collection == "MIGHT_LIKES":
            filled.append(target)
            continue
        candidates = [(item, work) for item, work in shelf.history[slot.collection] if work not in taken]
        if not candidates:
            raise LookupError(f"{slot.collection} has no item left for slot {slot.number} of {template.template_id}")
        item, work = candidates[int(unit(seed, "item", user_id, position, slot.number) * len(candidates))]
        taken.add(work)
        filled.append(item)
    return filled


def _works(preferred: Sequence[Preferred]) -> dict[str, int]:
    """Give each item the number of its work; items that share a work id or a title, directly or through others, have one number."""
    titles = [work_key(item.title) for item in preferred if item.title is not None]
    works = [item.work_id for item in preferred if item.work_id is not None]
    if len(set(titles)) == len(titles) and len(set(works)) == len(works):  # the common case: nothing is shared
        return {item.item_id: number for number, item in enumerate(preferred)}
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for item in preferred:
        if item.work_id is not None:
            parent[root(f"work {item.work_id}")] = root(f"item {item.item_id}")
        if item.title is not None:
            parent[root(f"title {work_key(item.title)}")] = root(f"item {item.item_id}")
    numbers: dict[str, int] = {}
    return {item.item_id: numbers.setdefault(root(f"item {item.item_id}"), len(numbers)) for item in preferred}
