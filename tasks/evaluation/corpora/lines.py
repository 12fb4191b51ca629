"""Reads JSON lines of unknown origin, or one JSON list, of objects only.

An entry that is not an object is reported with the file's name and its position.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from tasks.errors import UserError

Made = TypeVar("Made")


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON-lines file or JSON list, plain or .gz. Raises UserError.

    Empty lines are skipped.
    """
    yield from (content for _, content in _placed(path))


def dialogues_of(path: Path, make: Callable[[dict[str, Any]], Made]) -> Iterator[Made]:
    """Yield the result of `make` for each entry. Raises UserError with its place on failure."""
    for place, content in _placed(path):
        try:
            yield make(content)
        except KeyError as error:
            raise UserError(
                f"{path}, {place}, is not a dialogue in this layout: there is no {str(error)[:60]}"
            ) from None
        except (TypeError, ValueError, AttributeError, StopIteration) as error:
            raise UserError(
                f"{path}, {place}, is not a dialogue in this layout: {str(error)[:100]}"
            ) from None


def _placed(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                if number == 1 and (listed := _listed(line, file)) is not None:
                    yield from (
                        (f"entry {place}", _object(path, f"entry {place}", entry))
                        for place, entry in enumerate(listed, 1)
                    )
                    return
                if line.strip():
                    yield f"line {number}", _object(path, f"line {number}", _value(line))
    except (OSError, EOFError) as error:
        raise UserError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def _listed(line: str, file: IO[str]) -> list[Any] | None:
    """Return the entries of a JSON list of objects, or None if the file does not begin as one."""
    if not re.match(r"\s*\[\s*(?:\{|$)", line):
        return None
    value = _value(line + file.read())
    return value if isinstance(value, list) else None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(path: Path, place: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise UserError(f"{path}, {place}, is not a JSON object")
    return content
