"""Whether the files of the published layout belong together.

Every conversation is once in both files, and every item is in the catalogue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import UserError
from tasks.release.files import CONVERSATION, FINAL_DATA, ITEM_MAP

if TYPE_CHECKING:
    from tasks.release.reader import ReleasedUser


class StructureCheck:
    """Takes in users and texts as they are read, then checks that they belong together."""

    def __init__(self, folder: Path, items: Collection[str]) -> None:
        """Begin with the folder, for messages, and the ids in item_map.json."""
        self._folder = folder
        self._items = items
        self._listed: Counter[int] = Counter()
        self._spoken: Counter[int] = Counter()

    def add_user(self, user: ReleasedUser) -> None:
        """Take in a line of final_data.jsonl.

        Raises UserError when it names an item that item_map.json lacks.
        """
        self._check_items(user.user_id, user.history)
        self._check_items(user.user_id, user.might_like)
        for conversation in user.conversations:
            self._listed[conversation.conversation_id] += 1
            items = (*conversation.likes, *conversation.dislikes, *conversation.rec_items)
            self._check_items(user.user_id, items)

    def add_text(self, conversation_id: int) -> None:
        """Take in a conversation of Conversation.txt."""
        self._spoken[conversation_id] += 1

    def finish(self) -> None:
        """Raise UserError if a conversation is twice in a file, or in one of both files alone."""
        for name, counted in ((FINAL_DATA, self._listed), (CONVERSATION, self._spoken)):
            repeated = [number for number, times in counted.items() if times > 1]
            if repeated:
                raise self._error(f"{name} holds conversation {min(repeated)} twice")
        counts = (
            f"{CONVERSATION} holds {len(self._spoken):,} conversations "
            f"and {FINAL_DATA} {len(self._listed):,}"
        )
        if missing := self._listed.keys() - self._spoken.keys():
            raise self._error(f"{counts}; conversation {min(missing)} has no text")
        if extra := self._spoken.keys() - self._listed.keys():
            raise self._error(f"{counts}; conversation {min(extra)} belongs to no user")

    def _check_items(self, user_id: str, items: Collection[str]) -> None:
        for item in items:
            if item not in self._items:
                raise self._error(
                    f"{ITEM_MAP} lacks the item {item[:80]!r}, which user {user_id[:80]!r} of "
                    f"{FINAL_DATA} has"
                )

    def _error(self, fault: str) -> UserError:
        return UserError(
            f"{self._folder} does not hold together: {fault}; take a good copy of the folder"
        )
