"""Validation errors of a settings file in one line: each field's path, fault and likely name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_MAX_ERRORS = 8  # shown of one file
_MIN_SIMILARITY = 0.7
_SECRETS = frozenset({"api_key", "key", "token", "password", "secret"})
_SHAPES = {
    "tuple_type": "must be a list, such as [a, b]",
    "list_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    # YAML reads `no` as false and 1984 as a number.
    "string_type": "must be a text: put it in quotes",
}


def validation_line(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return a validation error as one line: each field's path and what is wrong with it.

    With the `model` of the file, an unknown key comes with the one that was probably meant, and a
    text of the wrong form with the field's description.
    """
    fields = dict(_fields(model, ())) if model else {}
    errors = error.errors(include_url=False, include_context=False)
    paths = [each["loc"] for each in errors]
    lines = []
    for each, path in zip(errors, paths, strict=True):
        # The list is not too short; each of its entries is at fault and reported.
        if each["type"] == "too_short" and any(_is_inside(other, path) for other in paths):
            continue
        dotted = ".".join(str(part) for part in path)
        text = _message(each, tuple(part for part in path if isinstance(part, str)), fields)
        lines.append(f"{dotted}: {text}" if dotted else text)
    more = f"; and {len(lines) - _MAX_ERRORS} more" if len(lines) > _MAX_ERRORS else ""
    return "; ".join(lines[:_MAX_ERRORS]) + more


def _is_inside(path: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(path) > len(outer) and path[: len(outer)] == outer


def _message(error: Any, path: tuple[str, ...], fields: dict[tuple[str, ...], str]) -> str:
    if error["type"] == "extra_forbidden":
        return f"is not a known setting{_suggestion(path, fields)}"
    if error["type"] == "string_pattern_mismatch" and path in fields:
        return f"{error['input'][:40]!r} is not of the form needed ({fields[path]})"
    return _SHAPES.get(error["type"]) or error["msg"].removeprefix("Value error, ")


def _suggestion(path: tuple[str, ...], fields: dict[tuple[str, ...], str]) -> str:
    """Return a similar setting of the same section, or the same name elsewhere, in brackets."""
    if not path:
        return ""
    if fields and path[-1] in _SECRETS:
        return " (keys come from the environment, such as OPENAI_API_KEY)"
    siblings = [field[-1] for field in fields if field[:-1] == path[:-1]]
    elsewhere = [".".join(field) for field in fields if field[-1] == path[-1]]
    candidates = [*similar_names(path[-1], siblings), *elsewhere]
    return f" (did you mean {candidates[0]}?)" if candidates else ""


def similar_names(name: str, known: Iterable[str]) -> list[str]:
    """Return the known name that was most likely meant, or nothing if none is similar."""
    return get_close_matches(name, list(known), n=1, cutoff=_MIN_SIMILARITY)


def _fields(
    model: type[BaseModel], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path and description of every setting, with those of sections and their lists."""
    for name, field in model.model_fields.items():
        path = (*above, name)
        yield path, field.description or ""
        for section in _sections(field.annotation):
            yield from _fields(section, path)


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)
