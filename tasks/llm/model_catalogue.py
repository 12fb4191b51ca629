"""What litellm's local price map says of models, read without importing litellm (which takes 4 s and is not needed for a replay)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]
_FILE = "model_prices_and_context_window_backup.json"


@cache
def model_catalogue() -> Mapping[str, Entry]:
    """Return the price map that litellm ships: entries by model name, with prices per token and what the model takes."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("litellm")
    content: dict[str, Entry] = json.loads(
        (Path(spec.origin).parent / _FILE).read_text(encoding="utf-8")
    )
    return content


def find_entry(model: str, catalogue: Mapping[str, Entry] | None = None) -> Entry | None:
    """Find a model under its whole name, or under its bare name if that entry is of the provider asked; None if unknown."""
    known = model_catalogue() if catalogue is None else catalogue
    if model in known:
        return known[model]
    provider, _, name = model.partition("/")
    entry = known.get(name)
    return entry if entry is not None and entry.get("litellm_provider") == provider else None


def takes_schema(model: str) -> bool:
    """Tell whether a model is known to take a JSON schema as response format; of an unknown one it is not assumed."""
    entry = find_entry(model)
    return entry is not None and bool(entry.get("supports_response_schema"))
