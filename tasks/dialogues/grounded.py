"""Reads the grounded profile's answers: JSON turns, as tolerantly as models write JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from tasks.dialogues.roles import ROLE_NAMES, role_of
from tasks.dialogues.values import RawTurn, Reading

_DECODER = json.JSONDecoder(strict=False)  # models put raw line breaks into strings
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_LIST_KEYS = ("turns", "dialogue", "conversation", "utterances", "messages")
_ROLE_KEYS = ("role", "speaker")
_TEXT_KEYS = ("text", "content", "utterance", "message")
_TURN_START = re.compile(r'\{\s*"(?:role|speaker)"\s*:\s*"([^"\\]{0,40})"\s*,\s*"(?:text|content|utterance|message)"\s*:\s*"')
_TURN_END = re.compile(r'"\s*,?\s*\}')


def read_grounded(text: str) -> Reading:
    """Take a JSON answer apart.

    Code fences, prose around the JSON, trailing commas, a bare list instead of an object, one object a line, other key names and raw
    line breaks are read as meant. JSON that breaks off or cannot be mended gives the turns that can be read; `whole` is False if it
    broke off.
    """
    value = _decode(text)
    if value is None:
        return _salvage(text)
    turns = _turns(value)
    if turns is None:
        return _salvage(text)
    return Reading(tuple(turns), whole=True, error="" if turns else "the answer holds no turns")


def _decode(text: str) -> Any:
    """Return the first JSON object or list in the text that reads, or None."""
    starts = sorted(start for start in (text.find("{"), text.find("[")) if start >= 0)
    for start in starts:
        body = text[start:]
        for candidate in (body, _TRAILING_COMMA.sub(r"\1", body)):
            try:
                return _DECODER.raw_decode(candidate)[0]
            except (ValueError, RecursionError):
                continue
    return None


def _turns(value: Any) -> list[RawTurn] | None:
    """Return the turns of a decoded answer; None when its shape is another."""
    if isinstance(value, dict):
        value = next((value[key] for key in _LIST_KEYS if isinstance(value.get(key), list)), None)
    if not isinstance(value, list):
        return None
    try:  # as asked for: the common case, and ten times faster
        return [RawTurn(ROLE_NAMES[entry["role"]], entry["text"] + "") for entry in value]
    except (KeyError, TypeError):
        turns = [_turn(entry) for entry in value]
    return None if None in turns else [turn for turn in turns if turn is not None]


def _turn(entry: Any) -> RawTurn | None:
    if not isinstance(entry, dict):
        return None
    role = entry.get("role", entry.get("speaker"))
    text = next((entry[key] for key in _TEXT_KEYS if key in entry), None)
    if isinstance(role, str) and isinstance(text, str):
        return RawTurn(role_of(role), text)
    if len(entry) == 1:  # {"User": "Hello"}
        ((role, text),) = entry.items()
        if isinstance(text, str) and role_of(role) in ("user", "agent"):
            return RawTurn(role_of(role), text)
    return None


def _salvage(text: str) -> Reading:
    """Read turn by turn what is no JSON as a whole: broken off, objects without a list, quotation marks that were not escaped."""
    starts = list(_TURN_START.finditer(text))
    turns: list[RawTurn] = []
    broken, rest = False, ""
    for place, start in enumerate(starts):
        limit = starts[place + 1].start() if place + 1 < len(starts) else len(text)
        ends = [end.start() for end in _TURN_END.finditer(text, start.end(), limit)]
        if not ends:
            broken = True
            continue
        turns.append(RawTurn(role_of(start[1]), _unescape(text[start.end() : ends[-1]])))
        rest = text[ends[-1] :]
    closed = bool(turns) and ("[" not in text[: starts[0].start()] or "]" in rest)
    if closed and not broken:
        return Reading(tuple(turns), whole=True)
    return Reading(tuple(turns), whole=False, error="the JSON breaks off" if turns else "the answer is no JSON dialogue")


def _unescape(body: str) -> str:
    """Undo JSON escapes where the body is a valid JSON string; otherwise take it as it stands."""
    try:
        return str(_DECODER.decode(f'"{body}"'))
    except ValueError:
        return body.replace('\\"', '"').replace("\\n", " ")
