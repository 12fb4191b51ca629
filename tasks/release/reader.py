"""Reads a folder in the LLM-REDIAL layout, ours or the authors', into typed rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal

from tasks.errors import UserError
from tasks.release.files import CONVERSATION, FINAL_DATA, ITEM_MAP, USER_IDS
from tasks.release.integrity import verify_release
from tasks.release.structure import StructureCheck

_SPEAKER = re.compile(r"(user|agent)\s*[:：](.*)", re.IGNORECASE)
MOST_MISSING = 20  # conversations in a row that Conversation.txt may lack
MOST_DIGITS = 12  # of a conversation's id
Role = Literal["user", "agent"]


@dataclass(frozen=True)
class ReleasedTurn:
    """One utterance as published."""

    role: Role
    text: str


@dataclass(frozen=True)
class ReleasedConversation:
    """One conversation.

    `number` counts from 1 within the user, `conversation_id` from 0 over the domain.
    """

    conversation_id: int
    user_id: str
    number: int
    likes: tuple[str, ...]
    dislikes: tuple[str, ...]
    rec_items: tuple[str, ...]
    turns: tuple[ReleasedTurn, ...] = ()


@dataclass(frozen=True)
class ReleasedUser:
    """One user: history, items to recommend, and their conversations in order.

    The history has the likes in time order, then the dislikes.
    """

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
        for conversation_id, conversation_turns in read_turns(folder):
            check.add_text(conversation_id)
            turns[conversation_id] = conversation_turns
        users = tuple(read_users(folder, turns))
        for user in users:
            check.add_user(user)
        check.finish()
        return cls(folder, read_titles(folder), read_user_numbers(folder), users)

    @property
    def conversations(self) -> tuple[ReleasedConversation, ...]:
        """Every conversation, in file order."""
        return tuple(chain.from_iterable(user.conversations for user in self.users))


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
    titles = {}
    for item, title in read_item_map(folder).items():
        if title is not None and str(title).strip():
            titles[item] = str(title)
    return titles


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
                        f"{path}, line {number}, is not a user as the LLM-REDIAL layout has it: "
                        f"no {error}"
                    ) from None
                except (ValueError, TypeError, AttributeError):
                    raise UserError(
                        f"{path}, line {number}, is not a user as the LLM-REDIAL layout has it"
                    ) from None


def read_turns(folder: Path) -> Iterator[tuple[int, tuple[ReleasedTurn, ...]]]:
    """Walk Conversation.txt: (conversation id, turns). Raises UserError.

    A line without a speaker goes on with the utterance before. An id that is there twice is yielded
    twice.
    """
    current: int | None = None
    turns: list[ReleasedTurn] = []
    seen: set[int] = set()
    with _open(folder / CONVERSATION) as file:
        lines = (line for line in map(str.strip, file) if line)
        for line, following in pairwise(_ended(lines)):
            if _is_header(line, following, current, seen):
                if current is not None:
                    yield current, tuple(turns)
                current, turns = int(line), []
                seen.add(current)
            elif turn := _turn(line):
                turns.append(turn)
            elif turns:
                turns[-1] = ReleasedTurn(turns[-1].role, f"{turns[-1].text} {line}")
    if current is not None:
        yield current, tuple(turns)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    yield from lines
    yield ""


def _is_header(line: str, following: str, current: int | None, seen: Set[int]) -> bool:
    """Return True if a line is a conversation's id.

    A line of an utterance may be a number too, such as the title 1917. An id is the next one; or,
    where conversations are missing, one a little higher with a speaker's line after it; or, where
    one is there twice, an earlier one with a user's line after it.
    """
    if not (line.isascii() and line.isdigit()) or len(line) > MOST_DIGITS:
        return False
    number, turn = int(line), _turn(following)
    step = 1 if current is None else number - current
    if step == 1 or turn is None:
        return step == 1
    return 1 < step <= MOST_MISSING or (number in seen and turn.role == "user")


def _turn(line: str) -> ReleasedTurn | None:
    """Return the turn that a line begins, or None where it names no speaker."""
    spoken = _SPEAKER.match(line)
    if spoken is None:
        return None
    role: Role = "user" if spoken[1].lower() == "user" else "agent"
    return ReleasedTurn(role, spoken[2].strip())


def _users_of(
    content: Any, turns: Mapping[int, tuple[ReleasedTurn, ...]]
) -> Iterator[ReleasedUser]:
    for user_id, user in content.items():
        groups = user["Conversation"]
        if isinstance(groups, dict):
            groups = [groups]
        conversations = chain.from_iterable(group.items() for group in groups)
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
