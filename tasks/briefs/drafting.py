"""One user's dialogues: a template for each MIGHT_LIKES item and an item for each slot, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.briefs.choosing import Choice
from tasks.briefs.filling import Preferred, Shelf, fill, shelve
from tasks.templates import Template

Unplannable = Literal["untitled", "target_in_history", "no_template_fits"]


@dataclass(frozen=True)
class Draft:
    """A brief without its reviews: `items` has one for each of the template's slots, in order."""

    user_id: str
    position: int
    template: Template
    target: Preferred
    items: tuple[Preferred, ...]


def draft_user(choice: Choice, seed: int, user_id: str, preferred: Sequence[Preferred]) -> Iterator[Draft | Unplannable]:
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
        yield _obstacle(shelf, target) or _draft(choice, seed, user_id, shelf, have, position, target)


def _obstacle(shelf: Shelf, target: Preferred) -> Unplannable | None:
    if target.title is None:
        return "untitled"
    return "target_in_history" if shelf.works[target.item_id] in shelf.known else None


def _draft(
    choice: Choice, seed: int, user_id: str, shelf: Shelf, have: tuple[int, int], position: int, target: Preferred
) -> Draft | Unplannable:
    template = choice.draw(seed, user_id, position, have)
    if template is None:
        return "no_template_fits"
    return Draft(user_id, position, template, target, tuple(fill(shelf, template, target, seed, user_id, position)))
