"""Reads a judge's verdict: JSON first, else the grades or the choice as written in prose. Whatever is not clear is no verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tasks.evaluation.answers import json_objects, said_aloud
from tasks.evaluation.quality.values import HIGHEST, LOWEST, METRICS, Choice, Metric

_STEMS: dict[str, Metric] = {"fluen": "fluency", "inform": "informativeness", "logic": "logic", "coheren": "coherence"}
_GRADE = re.compile(
    r"\b(fluen|inform|logic|coheren)[a-z]*[^\w\n]{1,12}(?:(?:score|grade|rating)[^\w\n]{1,8})?(-?\d+(?:\.\d+)?)(?!\w)", re.IGNORECASE
)
_NUMBER = re.compile(rf"\s*([+-]?\d+(?:\.\d+)?)\s*(?:/\s*{HIGHEST}(?:\.0)?|out of {HIGHEST})?\s*(?:\(.*)?", re.DOTALL)
_VALUE_KEYS = ("score", "grade", "rating", "value")
_CHOICE_KEYS = ("better", "winner", "choice", "preferred", "preference", "verdict")
_CHOICES: dict[str, Choice] = {
    **dict.fromkeys(("0", "tie", "equal", "equally good", "same", "both", "neither", "none", "draw"), "tie"),
    **dict.fromkeys(("1", "first", "one"), "first"),
    **dict.fromkeys(("2", "second", "two"), "second"),
}
_SAID = re.compile(
    r"\b(?:better|winner|choice|verdict|preferred)\b[^\w\n]{1,6}(?:is[^\w\n]{1,4})?(?:(?:dialogue|conversation)\W{1,3})?(\w+)",
    re.IGNORECASE,
)
_NOUN = re.compile(r"^(?:the )?(?:dialogue|conversation|option)?\W*(.*?)\W*(?:dialogue|conversation)?$")


def parse_grades(text: str) -> dict[Metric, int] | None:
    """Return the four grades in an answer, of several the last; None when one is missing, no whole number or off the scale."""
    said = said_aloud(text)
    complete = [found for content in json_objects(said) if len(found := _grades_in(content)) == len(METRICS)]
    if complete:
        return _checked(complete[-1])
    listed = [_listed(content) for content in json_objects(said)]
    written = {metric: value for entry in listed for metric, value in entry.items()}
    return _checked(written or {_STEMS[stem.lower()]: float(value) for stem, value in _GRADE.findall(said)})


def parse_choice(text: str) -> Choice | None:
    """Return which of two conversations an answer prefers, or None when it does not say so clearly."""
    said = said_aloud(text)
    named = [content[key] for content in json_objects(said) for key in _CHOICE_KEYS if key in content]
    if named:
        return _choice(named[-1])
    written = {_choice(word) for word in _SAID.findall(said)} - {None}
    return written.pop() if len(written) == 1 else _choice(said)


def _grades_in(content: Mapping[str, Any]) -> dict[Metric, float | None]:
    return {metric: _number(value) for name, value in content.items() if (metric := _metric(name))}


def _listed(content: Mapping[str, Any]) -> dict[Metric, float | None]:
    """Return the grade in an object that names its metric, such as {"metric": "logic", "score": 2}."""
    named = next(
        (metric for key in ("metric", "name", "criterion", "aspect", "dimension") if (metric := _metric(str(content.get(key, ""))))), None
    )
    return {named: _number(dict(content))} if named else {}


def _metric(name: str) -> Metric | None:
    return next(
        (metric for stem, metric in _STEMS.items() if name.strip("*_ ").startswith(stem) or name.strip("*_ ").lower().startswith(stem)),
        None,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, dict):
        lowered = {str(key).lower(): inner for key, inner in value.items()}
        value = next((lowered[key] for key in _VALUE_KEYS if key in lowered), None)
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value)):
        value = float(found[1])
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _checked(found: Mapping[Metric, float | None]) -> dict[Metric, int] | None:
    grades: dict[Metric, int] = {}
    for metric in METRICS:
        value = found.get(metric)
        if value is None or not LOWEST <= value <= HIGHEST or value != int(value):
            return None
        grades[metric] = int(value)
    return grades


def _choice(value: Any) -> Choice | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = f"{value:g}" if isinstance(value, int | float) else value.strip().strip("*_.\"' ").lower()
    found = _NOUN.match(text)
    return _CHOICES.get(text) or (_CHOICES.get(found[1]) if found else None)
