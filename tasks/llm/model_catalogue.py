"""litellm's local price map, read without importing litellm.

That takes 4 s, and a replay does not need it.
"""

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
    """Return the price map that litellm ships: prices and abilities by model name."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("litellm")
    content: dict[str, Entry] = json.loads(
        (Path(spec.origin).parent / _FILE).read_text(encoding="utf-8")
    )
    return content


def find_entry(model: str, catalogue: Mapping[str, Entry] | None = None) -> Entry | None:
    """Return a model's entry, or None if it is unknown.

    It is under the whole name, or under the bare name if that entry is of the same provider.
    """
    entries = model_catalogue() if catalogue is None else catalogue
    if model in entries:
        return entries[model]
    provider, _, name = model.partition("/")
    entry = entries.get(name)
    return entry if entry is not None and entry.get("litellm_provider") == provider else None


def takes_schema(model: str) -> bool:
    """Return True if a model is known to take a JSON schema as response format."""
    entry = find_entry(model)
    return entry is not None and bool(entry.get("supports_response_schema"))
