"""Reads the grounded profile's answers: JSON turns, as tolerantly as models write JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasks.dialogues.json_turns import Turns, dialogues_in, turns_of
from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.values import Reading
from tasks.model_output import JsonReading, message_text, read_json

_SPEAKERS = frozenset({"user", "agent"})
_LEFT_OUT = frozenset({"...", "\u2026"})


def read_grounded(text: str) -> Reading:
    """Read the turns of a JSON answer.

    Code fences, prose around the JSON, comments, trailing commas, a bare list instead of an object,
    one object a line, turns under numbers, other key names and raw line breaks are read as meant,
    and so are labelled lines in place of JSON. JSON that breaks off or has a part that cannot be
    read gives the turns that can; `whole` is False then. An answer with two different dialogues is
    never whole, as either may be meant.
    """
    body = message_text(text)
    found = read_json(body)
    values = [read.value for read in found.values]
    return (
        _dialogue(found, values)
        or _single_turns(found, values)
        or _labelled_lines(body)
        or _nothing(values)
    )


def _dialogue(found: JsonReading, values: Sequence[Any]) -> Reading | None:
    """Return the dialogue that is one value; None where there is none."""
    dialogues = _dialogues(values)
    if dialogues and all(_is_shape(turns) for turns in dialogues):
        error = "the answer holds the shape of a dialogue and no dialogue"
        return Reading((), whole=False, error=error)
    dialogues = _joined([turns for turns in dialogues if not _is_shape(turns)])
    distinct = [turns for place, turns in enumerate(dialogues) if turns not in dialogues[:place]]
    if len(distinct) > 1:
        error = f"the answer holds {len(distinct)} dialogues"
        return Reading(tuple(distinct[0]), whole=False, error=error)
    return _reading(distinct[0], found.cut, broken=False) if distinct else None


def _dialogues(values: Sequence[Any]) -> list[Turns]:
    """Return every list of turns; only those in which a user or agent speaks, if there are any."""
    found: list[Turns] = []
    for value in values:
        found += dialogues_in(value)
    return [turns for turns in found if _SPEAKERS & {turn.role for turn in turns}] or found


def _is_shape(turns: Turns) -> bool:
    return all(turn.text.strip() in _LEFT_OUT for turn in turns)


def _joined(dialogues: list[Turns]) -> list[Turns]:
    """Return one dialogue where each turn was given a list of its own."""
    if len(dialogues) < 2 or any(len(turns) != 1 for turns in dialogues):
        return dialogues
    return [[turns[0] for turns in dialogues]]


def _single_turns(found: JsonReading, values: Sequence[Any]) -> Reading | None:
    """Return turns that were written as one object each, without a list around them."""
    turns: Turns = []
    for value in values:
        if isinstance(value, dict):
            turns += turns_of([value]) or []
    return _reading(turns, found.cut, found.broken) if turns else None


def _reading(turns: Turns, cut: bool, broken: bool) -> Reading:
    if cut:
        return Reading(tuple(turns), whole=False, error="the JSON breaks off")
    if broken:
        return Reading(tuple(turns), whole=False, error="a part of the JSON cannot be read")
    return Reading(tuple(turns), whole=True)


def _labelled_lines(text: str) -> Reading | None:
    reading = read_plain(text)
    return reading if {turn.role for turn in reading.turns}.issuperset(_SPEAKERS) else None


def _nothing(values: Sequence[Any]) -> Reading:
    error = "the answer holds no turns" if values else "the answer is no JSON dialogue"
    return Reading((), whole=False, error=error)
