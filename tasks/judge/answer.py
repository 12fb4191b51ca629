"""A judge's answer: the JSON schema it is asked for, and what is read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from tasks.judge.values import (
    Claim,
    ClaimVerdict,
    DialogueToJudge,
    Fit,
    Speech,
    TurnVerdict,
)
from tasks.model_output import JsonReading, message_text, read_json, read_or_else
from tasks.prompts import object_schema, schema_format

MOST_CLAIMS: Final = 12  # of one turn of at most 60 words
LONGEST: Final = 300  # characters kept of one text of an answer
_CLAIM_VERDICTS: Final = get_args(ClaimVerdict)
_FITS: Final = get_args(Fit)
_SPEECHES: Final = get_args(Speech)
_NEEDED: Final = (
    "claims",
    "opinion",
    "decision",
    "goals_missed",
    "reads_as",
    "gives_away",
    "contradicts_turn",
)
_WORDS_OF_TRUTH: Final = {"true": True, "false": False, "yes": True, "no": False}
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "not_supported": "not_told",
    "unsupported": "not_told",
    "unknown": "not_told",
    "contradiction": "contradicted",
    "contradicts": "contradicted",
    "n/a": "none",
    "null": "none",
    "": "none",
    "assistant": "program",
}


class Unreadable(ValueError):
    """An answer is no verdict on the dialogue; the message says why, to a judge as well."""


def verdict_format(dialogue: DialogueToJudge) -> dict[str, Any]:
    """Return the JSON schema of the verdict on a dialogue, as litellm takes it."""
    turns = dialogue.template.turns
    goals = sorted({goal for turn in turns for goal in turn.goals})
    entries = [_turn_schema(number, goals) for number in range(1, len(turns) + 1)]
    listed = {
        "type": "array",
        "prefixItems": entries,
        "minItems": len(entries),
        "maxItems": len(entries),
    }
    return schema_format("verdict", object_schema({"turns": listed}))


def _turn_schema(number: int, goals: Sequence[str]) -> dict[str, Any]:
    text = {"type": "string"}
    claim = object_schema({"said": text, "verdict": _one_of(_CLAIM_VERDICTS), "sentence": text})
    return object_schema(
        {
            "turn": {"type": "integer", "enum": [number]},
            "claims": {"type": "array", "items": claim, "maxItems": MOST_CLAIMS},
            "opinion": _one_of(_FITS),
            "decision": _one_of(_FITS),
            "goals_missed": {"type": "array", "items": _one_of(goals), "maxItems": 4},
            "reads_as": _one_of(_SPEECHES),
            "gives_away": {"type": "boolean"},
            "contradicts_turn": {"type": "integer"},
            "quote": text,
            "why": text,
        }
    )


def _one_of(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def answer_problem(text: str) -> str:
    """Return why an answer is no verdict on any dialogue; empty if it may be one."""
    try:
        _entries(text)
    except Unreadable as problem:
        return str(problem)
    return ""


def read_verdict(text: str, turns: int) -> tuple[TurnVerdict, ...]:
    """Return what an answer says of each turn of a dialogue, in order.

    Raises Unreadable if it is no JSON, breaks off, leaves out a turn or uses unknown words.
    """
    found: dict[int, TurnVerdict] = {}
    entries = _entries(text)
    for place, entry in enumerate(entries, start=1):
        number = place if "turn" not in entry else _whole(entry["turn"], "turn")
        if 1 <= number <= turns:
            found[number] = _turn_verdict(number, entry)
    missing = [number for number in range(1, turns + 1) if number not in found]
    if missing:
        raise Unreadable(f"it says nothing of turn {missing[0]}")
    return tuple(found[number] for number in range(1, turns + 1))


def _entries(text: str) -> list[Mapping[str, Any]]:
    reading = read_or_else(_json_in, text, lambda _: JsonReading())
    if reading.cut:
        raise Unreadable("it breaks off")
    for value in reversed(reading.values):
        listed = value.value.get("turns") if isinstance(value.value, dict) else None
        if isinstance(listed, list) and listed:
            return [entry for entry in listed if isinstance(entry, dict)]
    raise Unreadable('it holds no JSON object with a list "turns"')


def _json_in(text: str) -> JsonReading:
    return read_json(message_text(text))


def _turn_verdict(number: int, entry: Mapping[str, Any]) -> TurnVerdict:
    missing = [name for name in _NEEDED if name not in entry]
    if missing:
        raise Unreadable(f"turn {number} has no `{missing[0]}`")
    listed = entry["claims"]
    claims = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return TurnVerdict(
        turn=number,
        claims=tuple(_claim(one) for one in claims[:MOST_CLAIMS]),
        opinion=cast(Fit, _word(entry, "opinion", _FITS)),
        decision=cast(Fit, _word(entry, "decision", _FITS)),
        goals_missed=_goals(entry["goals_missed"]),
        reads_as=cast(Speech, _word(entry, "reads_as", _SPEECHES)),
        gives_away=_truth(entry["gives_away"]),
        contradicts_turn=_whole(entry["contradicts_turn"] or 0, "contradicts_turn"),
        quote=_text(entry.get("quote")),
        why=_text(entry.get("why")),
    )


def _claim(entry: Mapping[str, Any]) -> Claim:
    verdict = cast(ClaimVerdict, _word(entry, "verdict", _CLAIM_VERDICTS))
    return Claim(_text(entry.get("said")), verdict, _text(entry.get("sentence")))


def _goals(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(goal.strip() for goal in listed if isinstance(goal, str))


def _word(entry: Mapping[str, Any], name: str, known: Sequence[str]) -> str:
    """Return one of the known words. Raises Unreadable on another."""
    given = str(entry.get(name) or "").strip().lower().replace(" ", "_")
    word = given if given in known else _OTHER_WORDS.get(given, given)
    if word not in known:
        raise Unreadable(f"`{name}` is {given[:40]!r} and must be one of {', '.join(known)}")
    return word


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return _WORDS_OF_TRUTH.get(value.strip().lower(), False)
    return bool(value)


def _whole(value: Any, name: str) -> int:
    """Return a whole number. Raises Unreadable on anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unreadable(f"`{name}` must be a whole number")
    digits = str(value).strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 4):
        raise Unreadable(f"`{name}` is {digits[:20]!r} and must be a whole number")
    return int(digits)


def _text(value: Any) -> str:
    return " ".join(value.split())[:LONGEST] if isinstance(value, str) else ""
