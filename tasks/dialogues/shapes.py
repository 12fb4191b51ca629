"""Finds the turns in decoded JSON, in whatever shape a model put them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.dialogues.labels import labelled, without_own_label
from tasks.dialogues.plain import read_plain
from tasks.dialogues.roles import ROLE_NAMES, role_of
from tasks.dialogues.values import RawTurn

ROLE_KEYS = ("role", "speaker", "from", "sender", "author", "participant", "actor", "who", "name")
TEXT_KEYS = (
    *("text", "content", "utterance", "message", "value", "response", "speech", "line", "sentence"),
    *("dialogue", "says", "said", "what"),
)
NOBODY = "unknown"
_DEEPEST = 8
_NUMBERED = re.compile(r"(?:turn|utterance|message|line)?[ _-]?(\d{1,3})", re.IGNORECASE)
Turns = list[RawTurn]


def dialogues_in(value: Any, depth: int = 0) -> list[Turns]:
    """Return every dialogue a decoded value holds: a list of turns at any place of it, or text with labelled lines."""
    if depth > _DEEPEST:
        return []
    if isinstance(value, str):
        return _in_text(value, depth)
    if isinstance(value, Mapping):
        value = _by_number(value) or list(value.values())
    elif not isinstance(value, Sequence):
        return []
    turns = turns_of(value)
    if turns is not None and len(turns) == 1:  # the message of a chat, whose content is the dialogue
        return _in_text(turns[0].text, depth) or [turns]
    if turns is not None:
        return [turns]
    return [found for entry in value if turns_of([entry]) is None for found in dialogues_in(entry, depth + 1)]


def turns_of(entries: Sequence[Any]) -> Turns | None:
    """Return the turns of a list; None when it is empty or one of its entries is no turn."""
    try:  # as asked for: the common case, and ten times faster
        turns = [RawTurn(ROLE_NAMES[entry["role"]], without_own_label(ROLE_NAMES[entry["role"]], entry["text"] + "")) for entry in entries]
    except (KeyError, TypeError):  # other names, or a text that is no string
        read = [_turns(entry) for entry in entries]
        turns = [turn for some in read for turn in some] if all(read) else []
    return turns or None


def _turns(entry: Any) -> Turns:
    """Return the turn an entry holds, the two of a round, or none."""
    if isinstance(entry, str):
        label = labelled(entry) if ":" in entry and "\n" not in entry.strip() else None
        return [RawTurn(*label)] if label is not None else []
    if isinstance(entry, list):
        if len(entry) == 2 and all(isinstance(part, str) for part in entry):
            return [RawTurn(role_of(entry[0]), entry[1])] if role_of(entry[0]) in ("user", "agent") else []
        return turns_of(entry) or [] if len(entry) <= 2 and all(isinstance(part, Mapping) for part in entry) else []  # a round
    if not isinstance(entry, Mapping):
        return []
    return _turns_by_key({str(key).casefold(): value for key, value in entry.items()})


def _turns_by_key(entry: Mapping[str, Any]) -> Turns:
    role = next((entry[key] for key in ROLE_KEYS if isinstance(entry.get(key), str)), None)
    text = next((said for key in TEXT_KEYS if (said := _text(entry.get(key))) is not None), None)
    if role is not None:
        return [RawTurn(role_of(role), without_own_label(role_of(role), text))] if text is not None else []
    said_by = [(role_of(key), _said(value)) for key, value in entry.items() if role_of(key) in ("user", "agent")]
    spoken = [RawTurn(role, said) for role, said in said_by if said is not None]
    if spoken:  # {"User": "Hello"}, or a round: {"user": "Hello", "agent": "Hi"}
        return spoken
    return [RawTurn(NOBODY, text)] if text is not None and any(_NUMBERED.fullmatch(str(entry.get(key))) for key in ("turn", "id")) else []


def _text(value: Any) -> str | None:
    """Return a text, also one given sentence by sentence or in parts, as chat interfaces write it."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if isinstance(value, list) and value and all(isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in value):
        return " ".join(part["text"] for part in value)
    return value if isinstance(value, str) else None


def _said(value: Any) -> str | None:
    """Return what stands under a speaker's name: a text, or an object with one."""
    return next((value[key] for key in TEXT_KEYS if isinstance(value.get(key), str)), None) if isinstance(value, Mapping) else _text(value)


def _by_number(value: Mapping[str, Any]) -> list[Any]:
    """Return the values of an object whose keys number its turns, in that order; of any other, nothing."""
    numbers = [_NUMBERED.fullmatch(str(key)) for key in value]
    if not numbers or None in numbers:
        return []
    return [
        entry
        for _, entry in sorted(zip((int(found[1]) for found in numbers if found), value.values(), strict=True), key=lambda pair: pair[0])
    ]


def _in_text(value: str, depth: int) -> list[Turns]:
    """Return the dialogue in a string: JSON once more, or labelled lines of both speakers."""
    if value.lstrip().startswith(("{", "[")):
        try:
            return dialogues_in(json.loads(value), depth + 1)
        except (ValueError, RecursionError):
            return []
    if "\n" not in value:
        return []
    turns = list(read_plain(value).turns)
    return [turns] if {"user", "agent"} <= {turn.role for turn in turns} else []
