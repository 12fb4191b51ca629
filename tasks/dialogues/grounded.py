"""Reads the grounded profile's answers: JSON turns, as tolerantly as models write JSON."""

from __future__ import annotations

import json
import re

from tasks.dialogues.decoding import decode, without_comments
from tasks.dialogues.labels import without_own_label
from tasks.dialogues.plain import read_plain
from tasks.dialogues.roles import role_of
from tasks.dialogues.shapes import dialogues_in, turns_of
from tasks.dialogues.values import RawTurn, Reading
from tasks.prompts.unwrapping import unwrapped

_SPEAKERS = frozenset({"user", "agent"})
_DECODER = json.JSONDecoder(strict=False)
_LEFT_OUT = frozenset({"...", "\u2026"})
_ROLE = "role|speaker|from|sender|author"
_TEXT = "text|content|utterance|message|value|response"
_MARK = "[\"'`\u201c\u201d]"
_TURN_START = re.compile(
    rf"""\{{\s*(?:{_MARK}?(?!(?:{_ROLE}){_MARK})\w{{1,20}}{_MARK}?\s*:\s*(?:-?\d{{1,6}}|"[^"\n]{{0,80}}"|\[[^\[\]]{{0,200}}\])\s*,\s*){{0,3}}
        {_MARK}?(?:{_ROLE}){_MARK}?\s*:\s*{_MARK}(?P<role>[^"'`\u201c\u201d\\]{{0,40}}){_MARK}\s*,?\s*
        (?:{_MARK}?(?!(?:{_TEXT}){_MARK})\w{{1,20}}{_MARK}?\s*:\s*(?:-?\d{{1,6}}|"[^"\n]{{0,80}}"|\[[^\[\]]{{0,200}}\])\s*,\s*){{0,3}}
        {_MARK}?(?:{_TEXT}){_MARK}?\s*:\s*{_MARK}""",
    re.IGNORECASE | re.VERBOSE,
)
_TURN_END = re.compile(rf"{_MARK}\s*,?\s*\}}")
_NEXT_KEY = re.compile(rf"{_MARK}\s*,\s*{_MARK}\w{{1,20}}{_MARK}\s*:")


def read_grounded(text: str) -> Reading:
    """Take a JSON answer apart.

    Code fences, prose around the JSON, comments, trailing commas, a bare list instead of an object, one object a line, turns under
    numbers, other key names and raw line breaks are read as meant, and so are labelled lines in place of JSON. JSON that breaks off or
    cannot be mended gives the turns that can be read; `whole` is False if it broke off. An answer with two different dialogues is never
    whole: nobody can tell which one is meant.
    """
    body = unwrapped(text)
    decoded = decode(body)
    found = [turns for value in decoded.values if isinstance(value, dict | list) for turns in dialogues_in(value)]
    found = [turns for turns in found if not _SPEAKERS.isdisjoint(turn.role for turn in turns)] or found
    shape = [turns for turns in found if all(turn.text.strip() in _LEFT_OUT for turn in turns)]
    if shape and len(shape) == len(found):
        return Reading((), whole=False, error="the answer holds the shape of a dialogue and no dialogue")
    found = [turns for turns in found if turns not in shape]
    if len(found) > 1 and all(len(turns) == 1 for turns in found):  # a dialogue that gives each turn a list of its own
        found = [[turn for turns in found for turn in turns]]
    dialogues = [turns for place, turns in enumerate(found) if turns not in found[:place]]
    if len(dialogues) > 1:
        return Reading(tuple(dialogues[0]), whole=False, error=f"the answer holds {len(dialogues)} dialogues")
    if dialogues and not decoded.cut:
        return Reading(tuple(dialogues[0]), whole=True)
    single = turns_of(decoded.values)
    if single and not decoded.broken:  # one object a line
        return Reading(tuple(single), whole=True)
    nothing = Reading((), whole=False, error=_why_nothing(decoded.values))
    return _salvage(without_comments(body), decoded.cut) or _labelled_lines(body) or nothing


def _why_nothing(values: list[object]) -> str:
    return "the answer holds no turns" if values else "the answer is no JSON dialogue"


def _labelled_lines(text: str) -> Reading | None:
    reading = read_plain(text)
    return reading if {turn.role for turn in reading.turns}.issuperset(_SPEAKERS) else None


def _salvage(text: str, cut: bool) -> Reading | None:
    """Read turn by turn what is no JSON as a whole: broken off, objects without a list, quotation marks that were not escaped."""
    starts = list(_TURN_START.finditer(text))
    turns: list[RawTurn] = []
    broken, rest = cut, ""
    for place, start in enumerate(starts):
        limit = starts[place + 1].start() if place + 1 < len(starts) else len(text)
        ends = [end.start() for end in _TURN_END.finditer(text, start.end(), limit)]
        if not ends:
            broken = True
            continue
        said = text[start.end() : ends[-1]]
        other = _NEXT_KEY.search(said)
        role = role_of(start["role"])
        turns.append(RawTurn(role, without_own_label(role, _unescape(said[: other.start()] if other else said))))
        rest = text[ends[-1] :]
    if not turns:
        return None
    if not broken and ("[" not in text[: starts[0].start()] or "]" in rest):
        return Reading(tuple(turns), whole=True)
    return Reading(tuple(turns), whole=False, error="the JSON breaks off")


def _unescape(body: str) -> str:
    """Undo JSON escapes where the body is a valid JSON string; otherwise take it as it stands."""
    try:
        return str(_DECODER.decode(f'"{body}"'))
    except ValueError:
        return body.replace('\\"', '"').replace("\\'", "'").replace("\\n", " ")
