"""Finds the turns in decoded JSON, in whatever shape a model put them."""

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
    if (
        turns is not None and len(turns) == 1
    ):  # the message of a chat, whose content is the dialogue
        return _in_text(turns[0].text, depth) or [turns]
    if turns is not None:
        return [turns]
    dialogues: list[Turns] = []
    for entry in value:
        if not isinstance(entry, Mapping) or turns_of([entry]) is None:
            dialogues += dialogues_in(entry, depth + 1)
    return dialogues


def turns_of(entries: Sequence[Any]) -> Turns | None:
    """Return the turns of a list; None when it is empty or one of its entries is no turn."""
    try:  # as asked for: the common case, and ten times faster
        turns = [_as_asked(entry) for entry in entries]
    except (KeyError, TypeError):  # other names, or a text that is no string
        turns = []
        for entry in entries:
            found = _turns(entry)
            if not found:
                return None
            turns += found
    return turns or None


def _as_asked(entry: Any) -> RawTurn:
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
    """Return the turns of an object: role and text, a text under its speaker, or a numbered text."""
    role = next((entry[key] for key in ROLE_KEYS if isinstance(entry.get(key), str)), None)
    text = next((said for key in TEXT_KEYS if (said := _text(entry.get(key))) is not None), None)
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
        role, said = role_of(key), _said(value)
        if role in _SPEAKERS and said is not None:
            turns.append(RawTurn(role, said))
    return turns


def _text(value: Any) -> str | None:
    """Return a text, also one given sentence by sentence or in parts, as chat interfaces write it."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if (
        isinstance(value, list)
        and value
        and all(isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in value)
    ):
        return " ".join(part["text"] for part in value)
    return value if isinstance(value, str) else None


def _said(value: Any) -> str | None:
    """Return what stands under a speaker's name: a text, or an object with one."""
    return (
        next((value[key] for key in TEXT_KEYS if isinstance(value.get(key), str)), None)
        if isinstance(value, Mapping)
        else _text(value)
    )


def _by_number(value: Mapping[str, Any]) -> list[Any]:
    """Return the values of an object whose keys number its turns, in that order; of any other, nothing."""
    numbers = [_NUMBERED.fullmatch(str(key)) for key in value]
    if not numbers or None in numbers:
        return []
    return [
        entry
        for _, entry in sorted(
            zip((int(found[1]) for found in numbers if found), value.values(), strict=True),
            key=lambda pair: pair[0],
        )
    ]


def _in_text(value: str, depth: int) -> list[Turns]:
    """Return the dialogue in a string: JSON once more, or labelled lines of both speakers."""
    if value.lstrip().startswith(("{", "[")):
        return dialogues_in(parse_json(value), depth + 1)
    if "\n" not in value:
        return []
    turns = list(read_plain(value).turns)
    return [turns] if {"user", "agent"} <= {turn.role for turn in turns} else []
