"""JSON lines of unknown hands: every line is an object, or the file's name and line number are told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from tasks.errors import UserError

Made = TypeVar("Made")


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Walk the objects of a JSON-lines file, plain or .gz; empty lines are passed over. Raises UserError."""
    yield from (content for _, content in _numbered(path))


def dialogues_of(path: Path, make: Callable[[dict[str, Any]], Made]) -> Iterator[Made]:
    """Walk what `make` makes of each line. Raises UserError with the line where it cannot."""
    for number, content in _numbered(path):
        try:
            yield make(content)
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
            told = f"{type(error).__name__} {str(error)[:60]}"
            raise UserError(f"{path}, line {number}, is not a dialogue in this layout: {told}") from None


def _numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(path, number, line)
    except (OSError, EOFError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path}, line {number}, is not a JSON object")
    return content
