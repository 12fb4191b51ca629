"""What is known of models on their servers: a file in the data folder, written by probes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.llm.model_facts import ModelFacts
from tasks.llm.requests import endpoint
from tasks.settings import Generate

_FACTS = TypeAdapter(ModelFacts)


def find_facts(path: Path, generate: Generate) -> ModelFacts | None:
    """Return what is known of a model on its server; None if nothing is, or it cannot be read."""
    try:
        return _FACTS.validate_python(_read(path).get(_name(generate)))
    except ValidationError:
        return None


def keep_facts(path: Path, generate: Generate, facts: ModelFacts) -> None:
    """Write what is known of a model on its server. Raises UserError if the file cannot be."""
    known = {**_read(path), _name(generate): asdict(facts)}
    try:
        write_atomically(path, json.dumps(known, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _name(generate: Generate) -> str:
    return f"{generate.model} {endpoint(generate) or ''}".strip()


def _read(path: Path) -> dict[str, Any]:
    """Return the file's content; nothing if it is missing or broken, for it can be made again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
