"""A user's history, and the items a template's slots are filled with from it."""

from __future__ import annotations

from collections.abc import Collection as Container
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from tasks.briefs.template_choice import Choice
from tasks.fingerprint import unit
from tasks.templates import Collection, Template
from tasks.titles import work_key
from tasks.tombstones import Tombstones

_HISTORY: tuple[Collection, Collection] = ("LIKES", "DISLIKES")


class HistoryItem(NamedTuple):
    """One item of a user's preferences.

    `title` is None for an item without one; `work_id` is shared by items that are the same work.
    """

    item_id: str
    collection: Collection
    title: str | None
    work_id: str | None
    rating: float | None
    review_id: str | None


@dataclass(frozen=True)
class UserHistory:
    """The items one user can talk about.

    Two items are the same work if they share a work id or a title, at the strength "work" of
    `tasks.titles`. Works that are both liked and disliked, under two ids, are left out of both
    collections; a dialogue never has two items of one work.

    Attributes:
        history: items of LIKES and of DISLIKES in time order, with the number of the work of each.
        targets: items of MIGHT_LIKES in order.
        known: works of the whole history, also those left out.
        works: each item's work.
    """

    history: Mapping[Collection, Sequence[tuple[HistoryItem, int]]]
    targets: Sequence[HistoryItem]
    known: frozenset[int]
    works: Mapping[str, int]

    def works_of(self, collection: Collection) -> int:
        """Return how many different works of a collection a dialogue can draw on."""
        return len({work for _, work in self.history[collection]})


def user_history(preferred: Sequence[HistoryItem]) -> UserHistory:
    """Return the history of one user from their preferences, each collection in time order."""
    works = _works(preferred)
    items: dict[Collection, list[tuple[HistoryItem, int]]] = {
        "LIKES": [],
        "DISLIKES": [],
        "MIGHT_LIKES": [],
    }
    for item in preferred:
        items[item.collection].append((item, works[item.item_id]))
    liked, disliked = ({work for _, work in items[collection]} for collection in _HISTORY)
    unclear = liked & disliked
    return UserHistory(
        history={collection: _usable(items[collection], unclear) for collection in _HISTORY},
        targets=[item for item, _ in items["MIGHT_LIKES"]],
        known=frozenset(liked | disliked),
        works=works,
    )


def _usable(
    items: Sequence[tuple[HistoryItem, int]], unclear: Set[int]
) -> list[tuple[HistoryItem, int]]:
    titled = [(item, work) for item, work in items if item.title is not None]
    return [(item, work) for item, work in titled if work not in unclear]


def fill(
    history: UserHistory,
    template: Template,
    target: HistoryItem,
    seed: int,
    user_id: str,
    position: int,
) -> list[HistoryItem]:
    """Return an item for each slot of a template, no two of one work.

    Each is drawn from seed, user, position and slot.

    Raises:
        LookupError: the history has too few works for the template.
    """
    used = {history.works[target.item_id]}
    filled = []
    for slot in template.slots:
        if slot.collection == "MIGHT_LIKES":
            filled.append(target)
            continue
        candidates = [
            (item, work) for item, work in history.history[slot.collection] if work not in used
        ]
        if not candidates:
            raise LookupError(
                f"{slot.collection} has no item left for slot {slot.number} "
                f"of {template.template_id}"
            )
        chance = unit(seed, "item", user_id, position, slot.number)
        item, work = candidates[int(chance * len(candidates))]
        used.add(work)
        filled.append(item)
    return filled


def _works(preferred: Sequence[HistoryItem]) -> dict[str, int]:
    """Return the number of each item's work.

    Items that share a work id or a title, directly or through other items, have one number.
    """
    titles = [work_key(item.title) for item in preferred if item.title is not None]
    works = [item.work_id for item in preferred if item.work_id is not None]
    # The common case: nothing is shared.
    if len(set(titles)) == len(titles) and len(set(works)) == len(works):
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
    return {
        item.item_id: numbers.setdefault(root(f"item {item.item_id}"), len(numbers))
        for item in preferred
    }


Reason = Literal[
    "untitled", "target_in_history", "no_history", "no_template_fits", "max_dialogues", "erased"
]
REASONS: Final[dict[Reason, str]] = {
    "untitled": "the item has no title, and items without one are left out",
    "target_in_history": "the user has liked or disliked the same work before, under another id",
    "no_history": (
        "the user clearly likes or dislikes no other item with a title, so no slot can be filled"
    ),
    "no_template_fits": "every template needs more liked or disliked items than the user has",
    "max_dialogues": "the plan had as many dialogues before it as briefs.max_dialogues allows",
    "erased": "the dialogue retold a review of a user who was erased, and was to be dropped",
}
"""Why a MIGHT_LIKES item has no brief, in words for people."""


@dataclass(frozen=True)
class Draft:
    """A brief without its reviews: `items` has one for each of the template's slots, in order."""

    user_id: str
    position: int
    template: Template
    target: HistoryItem
    items: tuple[HistoryItem, ...]


@dataclass(frozen=True)
class Unplanned:
    """A MIGHT_LIKES item that gets no brief."""

    user_id: str
    item_id: str
    reason: Reason


def draft_user(
    choice: Choice,
    seed: int,
    user_id: str,
    preferred: Sequence[HistoryItem],
    kept: Container[tuple[str, int]] = (),
    erased: Tombstones | None = None,
) -> Iterator[Draft | Unplanned]:
    """Yield a draft, or why there is none, for each of a user's MIGHT_LIKES items in order.

    Positions count from 1.

    Args:
        choice: the templates' chances.
        seed: the domain's seed.
        user_id: the user of the dialogues.
        preferred: the user's preferences, each collection in time order.
        kept: users and positions that have a brief already and are passed over.
        erased: dialogues that are not to be planned again.
    """
    history = user_history(preferred)
    available = (history.works_of("LIKES"), history.works_of("DISLIKES"))
    for position, target in enumerate(history.targets, start=1):
        if (user_id, position) in kept:
            continue
        reason = _obstacle(history, available, target)
        if erased is not None and erased.has_brief(user_id, target.item_id):
            reason = "erased"
        template = None if reason else choice.draw(seed, user_id, position, available)
        if template is None:
            yield Unplanned(user_id, target.item_id, reason or "no_template_fits")
        else:
            items = tuple(fill(history, template, target, seed, user_id, position))
            yield Draft(user_id, position, template, target, items)


def _obstacle(
    history: UserHistory, available: tuple[int, int], target: HistoryItem
) -> Reason | None:
    """Return why no template at all can be filled for a target, None if one can."""
    if target.title is None:
        return "untitled"
    if history.works[target.item_id] in history.known:
        return "target_in_history"
    return None if any(available) else "no_history"
