"""JSON lines of unknown hands: every line is an object, or the file's name and line number are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.errors import UserError


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Walk the objects of a JSON-lines file; empty lines are passed over. Raises UserError."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(path, number, line)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path}, line {number}, is not a JSON object")
    return content
