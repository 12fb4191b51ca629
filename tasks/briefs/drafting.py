"""One user's dialogues: a template for each MIGHT_LIKES item and an item for each slot, or why there can be none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tasks.briefs.choosing import Choice
from tasks.briefs.filling import Preferred, Shelf, fill, shelve
from tasks.templates import Template

Reason = Literal["untitled", "target_in_history", "no_history", "no_template_fits", "max_dialogues"]
REASONS: Final[dict[Reason, str]] = {
    "untitled": "the item has no title, and items without one are left out",
    "target_in_history": "the user has liked or disliked the same work before, under another id",
    "no_history": "the user clearly likes or dislikes no other item with a title, so no slot can be filled",
    "no_template_fits": "every template needs more liked or disliked items than the user has",
    "max_dialogues": "the plan had as many dialogues before it as briefs.max_dialogues allows",
}
"""Why a MIGHT_LIKES item has no brief, as a person reads it."""


@dataclass(frozen=True)
class Draft:
    """A brief without its reviews: `items` has one for each of the template's slots, in order."""

    user_id: str
    position: int
    template: Template
    target: Preferred
    items: tuple[Preferred, ...]


@dataclass(frozen=True)
class Unplanned:
    """A MIGHT_LIKES item that gets no brief."""

    user_id: str
    item_id: str
    reason: Reason


def draft_user(choice: Choice, seed: int, user_id: str, preferred: Sequence[Preferred]) -> Iterator[Draft | Unplanned]:
    """Yield a draft, or why there can be none, for each of a user's MIGHT_LIKES items in order; positions count from 1.

    Args:
        choice: the templates' chances.
        seed: the domain's seed.
        user_id: whose dialogues they are.
        preferred: the user's preferences, each collection in order of time.
    """
    shelf = shelve(preferred)
    have = (shelf.works_of("LIKES"), shelf.works_of("DISLIKES"))
    for position, target in enumerate(shelf.targets, start=1):
        reason = _obstacle(shelf, have, target)
        template = None if reason else choice.draw(seed, user_id, position, have)
        if template is None:
            yield Unplanned(user_id, target.item_id, reason or "no_template_fits")
        else:
            items = tuple(fill(shelf, template, target, seed, user_id, position))
            yield Draft(user_id, position, template, target, items)


def _obstacle(shelf: Shelf, have: tuple[int, int], target: Preferred) -> Reason | None:
    """Return why no template whatever could be filled for a target, None if one could."""
    if target.title is None:
        return "untitled"
    if shelf.works[target.item_id] in shelf.known:
        return "target_in_history"
    return None if any(have) else "no_history"
