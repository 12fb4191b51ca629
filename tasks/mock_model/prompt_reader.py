"""Reads the task, the template and the data out of a prompt's messages, nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from tasks.mock_model.reviews import mood

_TASK = re.compile(r"^Task: ([a-z_]+)$", re.MULTILINE)
_LINE = re.compile(r"^(\d+)\. (user|agent) \[([\w, ]*)\](?: \(([^)]*)\))?:", re.MULTILINE)
_SLOT = re.compile(r"item[: ](\d+)")
_DATA = re.compile(r"<data>\n(.*)\n</data>")
_JSON = '{"turns"'  # a prompt that shows this shape asks for JSON
_SPEAKERS = {"user_turn": "user", "agent_turn": "agent"}  # of one agent's conversation, by task
# A rollout's prompt tells only the words of the turns before; the first that fits decides.
_HEARD_FROM = (
    ("rejected", r"\b(?:no|skip|pass|afraid|sorry|rather|don't think so)\b"),
    (
        "accepted",
        r"\b(?:I'll (?:try|give|go with|\w+ it)|I will|I'd love|I'm in|on my list|it is)\b",
    ),
    ("leaving", r"\b(?:thank|thanks|goodbye|off|run|going|all I need|all for today)\b"),
    ("question", r"\?"),
)
_LEADS = re.compile(r"\b(?:find|look for|idea for)\b")

Messages = Sequence[Mapping[str, str]]


class Item(NamedTuple):
    """One item of the prompt; what the prompt does not give is empty."""

    slot: int
    title: str
    collection: str = ""
    user_review: str = ""
    other_review: str = ""


class Line(NamedTuple):
    """One line of the template: who speaks, which sub-goals, which slots must and may be named."""

    number: int
    role: str
    goals: tuple[str, ...]
    introduces: tuple[int, ...]
    refers: tuple[int, ...]


class Asked(NamedTuple):
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


def task_of(messages: Messages) -> str:
    """Return the task named by the last user message, empty where it names none."""
    users = [message["content"] for message in messages if message["role"] == "user"]
    found = _TASK.search(users[-1], 0, 200) if users else None
    return found[1] if found else ""


def data_blocks(text: str) -> list[Any]:
    """Return the data blocks of a text; those that are no JSON are passed over."""
    found = []
    for block in _DATA.findall(text):
        try:
            found.append(json.loads(block))
        except ValueError:
            continue
    return found


def read(messages: Messages) -> Asked:
    """Read a prompt. Data blocks that are no JSON objects are passed over."""
    task = task_of(messages)
    speaker = _SPEAKERS.get(task, "")
    users = [message["content"] for message in messages if message["role"] == "user"] or [""]
    known: dict[str, Any] = {}
    entries: list[dict[str, Any]] = []
    so_far: list[tuple[str, str]] = []
    for message in messages:
        if message["role"] == "assistant" and speaker:
            so_far.append((speaker, message["content"]))
        if message["role"] != "user":
            continue
        for block in data_blocks(message["content"]):
            told = block if isinstance(block, dict) else {}
            known.update(told)
            entries += _entries(told.get("items"))
            so_far += _turns(told.get("so_far"))
    words = _DATA.sub("", users[0])
    first = _lines(words)
    last = _lines(_DATA.sub("", users[-1])) if len(users) > 1 else first
    return Asked(
        task=task,
        noun=str(known.get("noun") or "item"),
        verb=str(known.get("verb") or "tried"),
        items=_items(entries),
        lines=last if speaker else first,
        wanted=tuple(line.number for line in last or first),
        placeholders="{{item:" in words,
        as_json=_JSON in users[0] or _JSON in users[-1],
        so_far=tuple(so_far),
    )


def _turns(value: object) -> list[tuple[str, str]]:
    entries = _entries(value)
    return [(str(entry.get("role", "")), str(entry.get("text", ""))) for entry in entries]


def _entries(value: object) -> list[dict[str, Any]]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _items(entries: list[dict[str, Any]]) -> dict[int, Item]:
    items = {}
    for entry in entries:
        if slot := _SLOT.search(str(entry.get("item", ""))):
            texts = [str(entry.get(name, "")) for name in Item._fields[1:]]
            items[int(slot[1])] = Item(int(slot[1]), *texts)
    return items


@lru_cache(maxsize=2048)
def _lines(text: str) -> tuple[Line, ...]:
    """Read the template's lines.

    The words of a prompt without its data are the same for all dialogues of a template.
    """
    return tuple(
        Line(int(number), role, tuple(re.findall(r"\w+", goals)), *_slots(names))
        for number, role, goals, names in _LINE.findall(text)
    )


def _slots(names: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split `name {{item:2}}; may name {{item:1}}` into what must and what may be named."""
    must, _, may = names.partition("may name")
    return tuple(map(int, _SLOT.findall(must))), tuple(map(int, _SLOT.findall(may)))


def heard_from(text: str, recommended: bool, greeted: bool, accepted: bool) -> str:
    """Guess a user's act from words alone, given whether certain acts have come before it."""
    if not recommended:
        return "asked" if greeted and "?" in text else ("", "likes", "dislikes")[mood(text)]
    fits = (act for act, signs in _HEARD_FROM if re.search(signs, text, re.IGNORECASE))
    act = next(fits, "interest")
    if accepted and act in ("rejected", "interest"):
        return "going"
    return "known" if act == "rejected" and mood(text) > 0 else act


def offered_from(text: str, recommended: bool) -> str:
    """Guess from words alone what an agent's turn asks or offers; empty where it does neither."""
    if "?" not in text:
        return ""
    return "more" if recommended else "led" if _LEADS.search(text) else "preference"
