"""What is wrong with a settings file, said in one line: each field's path, what it should be, and the name that was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_MOST_FINDINGS = 8  # told of one file
_ALIKE = 0.7
_SECRETS = frozenset({"api_key", "key", "token", "password", "secret"})
_SHAPES = {
    "tuple_type": "must be a list, such as [a, b]",
    "list_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    # YAML reads `no` as false and 1984 as a number
    "string_type": "must be a text: put it in quotes",
}


def validation_line(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return a validation error's findings as one line: each field's path and what is wrong with it.

    With the `model` of the file, a key that is not known comes with the one that was meant, and a
    text of the wrong form with what the field is for.
    """
    fields = dict(_fields(model, ())) if model else {}
    found = error.errors(include_url=False, include_context=False)
    places = [each["loc"] for each in found]
    findings = []
    for each, place in zip(found, places, strict=True):
        if each["type"] == "too_short" and any(
            len(other) > len(place) and other[: len(place)] == place for other in places
        ):
            continue  # the entries are there, each of them is at fault, which is told
        path = ".".join(str(part) for part in place)
        text = _finding(each, tuple(part for part in place if isinstance(part, str)), fields)
        findings.append(f"{path}: {text}" if path else text)
    more = f"; and {len(findings) - _MOST_FINDINGS} more" if len(findings) > _MOST_FINDINGS else ""
    return "; ".join(findings[:_MOST_FINDINGS]) + more


def _finding(found: Any, place: tuple[str, ...], fields: dict[tuple[str, ...], str]) -> str:
    if found["type"] == "extra_forbidden":
        return f"is not a known setting{_suggestion(place, fields)}"
    if found["type"] == "string_pattern_mismatch" and place in fields:
        return f"{found['input'][:40]!r} is not of the form needed ({fields[place]})"
    return _SHAPES.get(found["type"]) or found["msg"].removeprefix("Value error, ")


def _suggestion(place: tuple[str, ...], fields: dict[tuple[str, ...], str]) -> str:
    """Return the setting that was meant, in brackets: one of a like name in this place, or one of that name elsewhere."""
    if fields and place and place[-1] in _SECRETS:
        return " (keys come from the environment, such as OPENAI_API_KEY)"
    beside = [field[-1] for field in fields if field[:-1] == place[:-1]]
    alike = alike_names(place[-1], beside) if place else []
    elsewhere = [".".join(field) for field in fields if field[-1:] == place[-1:]]
    meant = [*alike, *elsewhere][:1]
    return f" (did you mean {meant[0]}?)" if meant else ""


def alike_names(name: str, known: Iterable[str]) -> list[str]:
    """Return the known name that was most likely meant, or nothing where none is alike."""
    return get_close_matches(name, list(known), n=1, cutoff=_ALIKE)


def _fields(
    model: type[BaseModel], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path of every setting and what it is for, sections and lists of sections included."""
    for name, field in model.model_fields.items():
        place = (*above, name)
        yield place, field.description or ""
        for section in _sections(field.annotation):
            yield from _fields(section, place)


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)
