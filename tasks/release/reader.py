"""Reads a folder in the LLM-REDIAL layout, ours or the authors', into typed rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from tasks.errors import UserError
from tasks.release.files import CONVERSATION, FINAL_DATA, ITEM_MAP, USER_IDS
from tasks.release.integrity import verify_release
from tasks.release.structure import StructureCheck

_SPEAKER = re.compile(r"(user|agent)\s*[:：](.*)", re.IGNORECASE)
MOST_MISSING = 20  # conversations in a row that Conversation.txt may lack
MOST_DIGITS = 12  # of a conversation's id


@dataclass(frozen=True)
class ReleasedTurn:
    """One utterance as published."""

    role: Literal["user", "agent"]
    text: str


@dataclass(frozen=True)
class ReleasedConversation:
    """One conversation: `number` counts from 1 within the user, `conversation_id` from 0 over the domain."""

    conversation_id: int
    user_id: str
    number: int
    likes: tuple[str, ...]
    dislikes: tuple[str, ...]
    rec_items: tuple[str, ...]
    turns: tuple[ReleasedTurn, ...] = ()


@dataclass(frozen=True)
class ReleasedUser:
    """One user: history (likes in time order, then dislikes), items to recommend, and his conversations in order."""

    user_id: str
    history: tuple[str, ...]
    might_like: tuple[str, ...]
    conversations: tuple[ReleasedConversation, ...]


@dataclass(frozen=True)
class Release:
    """A whole release in memory. For large ones walk `read_users` and `read_turns` instead."""

    path: Path
    titles: Mapping[str, str]
    user_numbers: Mapping[str, int]
    users: tuple[ReleasedUser, ...]

    @classmethod
    def load(cls, path: Path | str) -> Release:
        """Load a release, ours or the authors'.

        Raises:
            UserError: a file is missing, is not what the layout says or what SHA256SUMS says, or
                does not fit the others.
        """
        folder = Path(path)
        verify_release(folder)
        check = StructureCheck(folder, read_item_map(folder))
        turns: dict[int, tuple[ReleasedTurn, ...]] = {}
        for conversation, said in read_turns(folder):
            check.add_text(conversation)
            turns[conversation] = said
        users = tuple(read_users(folder, turns))
        for user in users:
            check.add_user(user)
        check.finish()
        return cls(folder, read_titles(folder), read_user_numbers(folder), users)

    @property
    def conversations(self) -> tuple[ReleasedConversation, ...]:
        """Every conversation, in file order."""
        return tuple(conversation for user in self.users for conversation in user.conversations)


def read_item_map(folder: Path) -> dict[str, str | int | float | None]:
    """Read item_map.json as it is: item id to title, or to null where there is none.

    Raises UserError.
    """
    content = _json(folder / ITEM_MAP)
    if not isinstance(content, dict) or not all(
        title is None or isinstance(title, str | int | float) for title in content.values()
    ):
        raise UserError(f"{folder / ITEM_MAP} must map item ids to titles")
    return content


def read_titles(folder: Path) -> dict[str, str]:
    """Read item_map.json: item id to title; an item whose title is null or empty is left out.

    Raises UserError.
    """
    found = read_item_map(folder).items()
    return {item: str(title) for item, title in found if title is not None and str(title).strip()}


def read_user_numbers(folder: Path) -> dict[str, int]:
    """Read user_ids.json: user id to number. Raises UserError."""
    content = _json(folder / USER_IDS)
    if not isinstance(content, dict) or not all(
        isinstance(number, int) for number in content.values()
    ):
        raise UserError(f"{folder / USER_IDS} must map user ids to numbers")
    return content


def read_users(
    folder: Path, turns: Mapping[int, tuple[ReleasedTurn, ...]] | None = None
) -> Iterator[ReleasedUser]:
    """Walk final_data.jsonl, one user at a time; with `turns`, conversations carry their text.

    Raises UserError with the line.
    """
    path = folder / FINAL_DATA
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield from _users_of(json.loads(line), turns or {})
                except KeyError as error:
                    raise UserError(
                        f"{path}, line {number}, is not a user as the LLM-REDIAL layout has it: no {error}"
                    ) from None
                except (ValueError, TypeError, AttributeError):
                    raise UserError(
                        f"{path}, line {number}, is not a user as the LLM-REDIAL layout has it"
                    ) from None


def read_turns(folder: Path) -> Iterator[tuple[int, tuple[ReleasedTurn, ...]]]:
    """Walk Conversation.txt: (conversation id, turns).

    Lines without a speaker go on with the utterance before. Raises UserError.

    An id that stands there twice is yielded twice.
    """
    current: int | None = None
    said: list[ReleasedTurn] = []
    seen: set[int] = set()
    with _open(folder / CONVERSATION) as file:
        lines = (line for line in map(str.strip, file) if line)
        for line, following in pairwise(_ended(lines)):
            if _is_header(line, following, current, seen):
                if current is not None:
                    yield current, tuple(said)
                current, said = int(line), []
                seen.add(current)
            elif turn := _turn(line):
                said.append(turn)
            elif said:
                said[-1] = ReleasedTurn(said[-1].role, f"{said[-1].text} {line}")
    if current is not None:
        yield current, tuple(said)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    yield from lines
    yield ""


def _is_header(line: str, following: str, current: int | None, seen: Set[int]) -> bool:
    """Return True if a line is a conversation's id and not a line of an utterance that is a number, such as the title 1917.

    An id is the next one; or, where conversations are missing, one a little higher with a speaker's
    line after it; or, where one stands there twice, an earlier one with a user's line after it.
    """
    if not (line.isascii() and line.isdigit()) or len(line) > MOST_DIGITS:
        return False
    number, turn = int(line), _turn(following)
    step = 1 if current is None else number - current
    if step == 1 or turn is None:
        return step == 1
    return 1 < step <= MOST_MISSING or (number in seen and turn.role == "user")


def _turn(line: str) -> ReleasedTurn | None:
    spoken = _SPEAKER.match(line)
    return (
        ReleasedTurn("user" if spoken[1].lower() == "user" else "agent", spoken[2].strip())
        if spoken
        else None
    )


def _users_of(
    content: Any, turns: Mapping[int, tuple[ReleasedTurn, ...]]
) -> Iterator[ReleasedUser]:
    for user_id, user in content.items():
        groups = user["Conversation"]
        conversations = [
            entry
            for group in ([groups] if isinstance(groups, dict) else groups)
            for entry in group.items()
        ]
        yield ReleasedUser(
            user_id,
            item_ids(user["history_interaction"]),
            item_ids(user["user_might_like"]),
            tuple(_conversation(user_id, name, entry, turns) for name, entry in conversations),
        )


def _conversation(
    user_id: str, name: str, entry: Any, turns: Mapping[int, tuple[ReleasedTurn, ...]]
) -> ReleasedConversation:
    number, conversation_id = int(name.removeprefix("conversation_")), int(entry["conversation_id"])
    return ReleasedConversation(
        conversation_id,
        user_id,
        number,
        item_ids(entry.get("user_likes")),
        item_ids(entry.get("user_dislikes")),
        item_ids(entry["rec_item"]),
        turns.get(conversation_id, ()),
    )


def item_ids(value: Any) -> tuple[str, ...]:
    """Return item ids as text: of a list, of a single id, or none of null.

    Raises TypeError for anything else.
    """
    if value is None:
        return ()
    if isinstance(value, str | int):
        return (str(value),)
    if not isinstance(value, list) or not all(isinstance(item, str | int) for item in value):
        raise TypeError("item ids must stand in a list, as texts or numbers")
    return tuple(map(str, value))


def _json(path: Path) -> Any:
    with _open(path) as file:
        try:
            return json.load(file)
        except ValueError:
            raise UserError(f"{path} is not JSON in UTF-8") from None


def _open(path: Path) -> Any:
    try:
        # Editors on Windows put a mark at the beginning.
        return path.open(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
