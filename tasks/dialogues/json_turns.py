"""Finds the turns in decoded JSON, in any of the shapes that models use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.speaker_labels import ROLE_NAMES, labelled, role_of, without_own_label
from tasks.dialogues.values import RawTurn
from tasks.model_output import parse_json

ROLE_KEYS = ("role", "speaker", "from", "sender", "author", "participant", "actor", "who", "name")
TEXT_KEYS = (
    *("text", "content", "utterance", "message", "value", "response", "speech", "line", "sentence"),
    *("dialogue", "says", "said", "what"),
)
NOBODY = "unknown"
_SPEAKERS = ("user", "agent")
_DEEPEST = 8
_NUMBERED = re.compile(r"(?:turn|utterance|message|line)?[ _-]?(\d{1,3})", re.IGNORECASE)
Turns = list[RawTurn]


def dialogues_in(value: Any, depth: int = 0) -> list[Turns]:
    """Return every dialogue in a decoded value.

    A dialogue is a list of turns, at any depth, or a text with labelled lines.
    """
    if depth > _DEEPEST:
        return []
    if isinstance(value, str):
        return _in_text(value, depth)
    if isinstance(value, Mapping):
        value = _by_number(value) or list(value.values())
    elif not isinstance(value, Sequence):
        return []
    turns = turns_of(value)
    if turns is None:
        return _in_entries(value, depth)
    # One turn may be the message of a chat, whose content is the dialogue.
    inner = _in_text(turns[0].text, depth) if len(turns) == 1 else []
    return inner or [turns]


def _in_entries(entries: Sequence[Any], depth: int) -> list[Turns]:
    dialogues: list[Turns] = []
    for entry in entries:
        if not isinstance(entry, Mapping) or turns_of([entry]) is None:
            dialogues += dialogues_in(entry, depth + 1)
    return dialogues


def turns_of(entries: Sequence[Any]) -> Turns | None:
    """Return the turns of a list; None when it is empty or one of its entries is no turn."""
    # The format that was asked for is the common case, and ten times faster to read.
    try:
        turns = [_as_requested(entry) for entry in entries]
    except (KeyError, TypeError):  # other names, or a text that is no string
        turns = []
        for entry in entries:
            entry_turns = _turns(entry)
            if not entry_turns:
                return None
            turns += entry_turns
    return turns or None


def _as_requested(entry: Any) -> RawTurn:
    role = ROLE_NAMES[entry["role"]]
    return RawTurn(role, without_own_label(role, entry["text"] + ""))


def _turns(entry: Any) -> Turns:
    """Return the turn an entry holds, the two of a round, or none."""
    if isinstance(entry, str):
        return _turn_of_line(entry)
    if isinstance(entry, list):
        return _turns_of_pair(entry)
    if isinstance(entry, Mapping):
        return _turns_by_key({str(key).casefold(): value for key, value in entry.items()})
    return []


def _turn_of_line(line: str) -> Turns:
    """Return the turn of "User: Hello"."""
    label = labelled(line) if ":" in line and "\n" not in line.strip() else None
    return [RawTurn(*label)] if label is not None else []


def _turns_of_pair(pair: list[Any]) -> Turns:
    """Return the turn of ["user", "Hello"], or the turns of a round of one or two objects."""
    if len(pair) == 2 and all(isinstance(part, str) for part in pair):
        role = role_of(pair[0])
        return [RawTurn(role, pair[1])] if role in _SPEAKERS else []
    is_round = len(pair) <= 2 and all(isinstance(part, Mapping) for part in pair)
    return turns_of(pair) or [] if is_round else []


def _turns_by_key(entry: Mapping[str, Any]) -> Turns:
    """Return the turns of an object: role and text, text under its speaker, or numbered text."""
    role = next((entry[key] for key in ROLE_KEYS if isinstance(entry.get(key), str)), None)
    texts = (_text(entry.get(key)) for key in TEXT_KEYS)
    text = next((text for text in texts if text is not None), None)
    if role is not None:
        name = role_of(role)
        return [] if text is None else [RawTurn(name, without_own_label(name, text))]
    spoken = _turns_by_speaker(entry)
    if spoken or text is None:
        return spoken
    numbered = any(_NUMBERED.fullmatch(str(entry.get(key))) for key in ("turn", "id"))
    return [RawTurn(NOBODY, text)] if numbered else []


def _turns_by_speaker(entry: Mapping[str, Any]) -> Turns:
    """Return the turns of {"User": "Hello"}, or of a round: {"user": "Hello", "agent": "Hi"}."""
    turns: Turns = []
    for key, value in entry.items():
        role, text = role_of(key), _speaker_text(value)
        if role in _SPEAKERS and text is not None:
            turns.append(RawTurn(role, text))
    return turns


def _text(value: Any) -> str | None:
    """Return a text, also one split into sentences or parts, as chat interfaces write it."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return None
    parts = value
    if all(isinstance(part, Mapping) for part in value):
        parts = [part.get("text") for part in value]
    return " ".join(parts) if all(isinstance(part, str) for part in parts) else None


def _speaker_text(value: Any) -> str | None:
    """Return the text under a speaker's name: the value itself, or one in an object."""
    if isinstance(value, Mapping):
        return next((value[key] for key in TEXT_KEYS if isinstance(value.get(key), str)), None)
    return _text(value)


def _by_number(value: Mapping[str, Any]) -> list[Any]:
    """Return the values of an object whose keys number its turns, in order; else []."""
    numbered: list[tuple[int, Any]] = []
    for key, entry in value.items():
        match = _NUMBERED.fullmatch(str(key))
        if match is None:
            return []
        numbered.append((int(match[1]), entry))
    return [entry for _, entry in sorted(numbered, key=lambda pair: pair[0])]


def _in_text(value: str, depth: int) -> list[Turns]:
    """Return the dialogue in a string: JSON once more, or labelled lines of both speakers."""
    if value.lstrip().startswith(("{", "[")):
        return dialogues_in(parse_json(value), depth + 1)
    if "\n" not in value:
        return []
    turns = list(read_plain(value).turns)
    return [turns] if {"user", "agent"} <= {turn.role for turn in turns} else []
