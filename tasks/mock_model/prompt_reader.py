"""Reads the task, the template and the data out of a prompt's messages, nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_TASK = re.compile(r"^Task: ([a-z_]+)$", re.MULTILINE)
_LINE = re.compile(r"^(\d+)\. (user|agent) \[([\w, ]*)\](?: \(([^)]*)\))?:", re.MULTILINE)
_SLOT = re.compile(r"item[: ](\d+)")
_DATA = re.compile(r"<data>\n(.*)\n</data>")
SHAPE = '{"turns"'  # a prompt that shows this shape asks for JSON


@dataclass(frozen=True)
class Item:
    """One item of the prompt; `collection` is empty where it is not given."""

    slot: int
    title: str
    collection: str
    user_review: str
    other_review: str


@dataclass(frozen=True)
class Line:
    """One line of the template: who speaks, which sub-goals, which slots must and may be named."""

    number: int
    role: str
    goals: tuple[str, ...]
    introduces: tuple[int, ...]
    refers: tuple[int, ...]


@dataclass(frozen=True)
class Asked:
    """A prompt, read.

    Attributes:
        task: the prompt's `Task:` line, empty where it has none.
        lines: the whole template as far as the prompt shows it.
        wanted: numbers of the turns to write.
        placeholders: whether items are written `{{item:N}}` rather than by title.
        as_json: whether JSON is asked for.
        so_far: role and text of the turns already spoken, in a turn-by-turn rollout.
    """

    task: str
    noun: str
    verb: str
    items: Mapping[int, Item]
    lines: tuple[Line, ...]
    wanted: tuple[int, ...]
    placeholders: bool
    as_json: bool
    so_far: tuple[tuple[str, str], ...]
    blocks: tuple[Mapping[str, Any], ...]


def task_of(messages: Sequence[Mapping[str, str]]) -> str:
    """Return the task named by the last user message, empty where it names none."""
    found = _TASK.search(_last_user(messages), 0, 200)
    return found[1] if found else ""


def read(messages: Sequence[Mapping[str, str]]) -> Asked:
    """Read a prompt. Data blocks that are no JSON objects are passed over."""
    users = [message["content"] for message in messages if message["role"] == "user"] or [""]
    texts = [_DATA.sub("", text) for text in users]
    blocks = tuple(block for text in users for block in _blocks(text))
    known = _merged(blocks)
    first, last = _lines(texts[0]), _lines(texts[-1])
    return Asked(
        task=task_of(messages),
        noun=str(known.get("noun") or "item"),
        verb=str(known.get("verb") or "tried"),
        items=_items(known.get("items")),
        lines=first,
        wanted=tuple(line.number for line in last or first),
        placeholders="{{item:" in texts[0],
        as_json=SHAPE in texts[0] or SHAPE in texts[-1],
        so_far=_so_far(known.get("so_far")),
        blocks=blocks,
    )


def _last_user(messages: Sequence[Mapping[str, str]]) -> str:
    return next(
        (message["content"] for message in reversed(messages) if message["role"] == "user"), ""
    )


def _blocks(text: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for block in _DATA.findall(text):
        try:
            value = json.loads(block)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _merged(blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for block in blocks:
        merged.update(block)
    return merged


def _items(entries: object) -> dict[int, Item]:
    items = {}
    for entry in entries if isinstance(entries, list) else []:
        slot = _SLOT.search(str(entry.get("item", "")))
        if slot:
            items[int(slot[1])] = Item(
                slot=int(slot[1]),
                title=str(entry.get("title", "")),
                collection=str(entry.get("collection", "")),
                user_review=str(entry.get("user_review", "")),
                other_review=str(entry.get("other_review", "")),
            )
    return items


def _so_far(entries: object) -> tuple[tuple[str, str], ...]:
    return (
        tuple((str(entry.get("role", "")), str(entry.get("text", ""))) for entry in entries)
        if isinstance(entries, list)
        else ()
    )


@lru_cache(maxsize=2048)
def _lines(text: str) -> tuple[Line, ...]:
    """Read the template's lines.

    The words of a prompt without its data are the same for all dialogues of a template.
    """
    return tuple(
        Line(
            int(number),
            role,
            tuple(goal.strip() for goal in goals.split(",") if goal.strip()),
            *_slots(names),
        )
        for number, role, goals, names in _LINE.findall(text)
    )


def _slots(names: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split `name {{item:2}}; may name {{item:1}}` into what must and what may be named."""
    must, _, may = names.partition("may name")
    return tuple(int(slot) for slot in _SLOT.findall(must)), tuple(
        int(slot) for slot in _SLOT.findall(may)
    )
