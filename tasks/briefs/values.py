"""A brief: everything that one dialogue is written from."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.templates import Collection, Template


@dataclass(frozen=True)
class BriefItem:
    """One filled item slot.

    Attributes:
        slot: the template's slot number, the N of `{{item:N}}`.
        user_review: text of this user's own review, preprocessed; None where the template needs
            none.
        other_review: text of another person's review; None where the template needs none or there
            is none.
        rating: the user's own rating of the item, on the source's scale.
    """

    slot: int
    item_id: str
    title: str
    collection: Collection
    user_review: str | None = None
    other_review: str | None = None
    rating: float | None = None


@dataclass(frozen=True)
class Brief:
    """One dialogue to write (2.5.1).

    `dialogue_id` is a hash of all fields after it, reviews by their text. `position` is the
    target's position among the user's MIGHT_LIKES items, from 1; it has gaps where an item could
    not be planned for.
    """

    dialogue_id: str
    user_id: str
    position: int
    target_item_id: str
    template: Template
    items: tuple[BriefItem, ...]
    noun: str = "item"
    verb: str = "tried"
    language: str = "en"
