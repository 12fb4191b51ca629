"""Content hashes, by which everything here is identified.

What is left out of each hash, and why:

| hash            | left out                                       | why                          |
|-----------------|------------------------------------------------|------------------------------|
| `request_key`   | API key, timeouts, concurrency, retries, price | the request is the same      |
| `file_hash`     | name, folder, modification time                | a copy is the same source    |
| `data_hash`     | the same, and YAML's comments and layout       | they change no content       |
| `settings_hash` | `PACE`: limits, prices, chunks, workers, mode  | they change speed and cost   |
|                 | `pages`, `alert`                               | what is kept, when to notify |
|                 | `lineage`, `license`                           | where events go; a statement |
| stage inputs    | code not reached, comments, docstrings         | see `stage_inputs`           |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

# Created once, because it is called often.
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PACE = frozenset(
    {
        "limits",
        "chunk_size",
        "workers",
        "mode",
        "journals",
        "input_cost_per_token",
        "output_cost_per_token",
    }
)
"""Settings of `generate` that change speed and cost, but not what is written."""
UNHASHED = frozenset({"alert", "pages", "lineage", "license"})
"""Sections of a domain's settings that change nothing of what is made."""
ID_LENGTH = 16  # hex digits: 64 bits, under one in a million to collide among 5 million ids


def canonical(value: Any) -> bytes:
    """Return JSON that is equal for equal values: sorted keys, no spaces, UTF-8.

    Raises TypeError on values that JSON does not have.
    """
    return _CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a JSON value, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def content_id(value: Any) -> str:
    """Return a short id by a value's content, 16 hex digits."""
    return fingerprint(value)[:ID_LENGTH]


def unit(seed: int, *parts: str | int) -> float:
    """Return a number in [0, 1) by seed and parts only: the source of every seeded choice."""
    digest = hashlib.sha256(canonical([seed, *parts])).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_hash(path: Path) -> str:
    """Return a hash of a data file's content, 64 hex digits. Raises OSError.

    Of YAML it is of the values, in order; of other files of the bytes.
    """
    if path.suffix != ".yaml":
        return file_hash(path)
    content = path.read_bytes()
    try:
        return content_hash(yaml.load(content, Loader=_LOADER))  # noqa: S506 - safe
    # Its reader will report what is wrong with it.
    except (yaml.YAMLError, ValueError, RecursionError):
        return file_hash(path)


def content_hash(content: Any) -> str:
    """Return the `data_hash` of a YAML file by the content read from it."""
    return fingerprint(_in_order(content))


@cache
def shipped_yaml(path: Path) -> Any:
    """Return the content of a YAML file that belongs to the code.

    Like the code it is read once in a process. Nobody may change what is returned.

    Raises OSError, and YAMLError on what is not YAML.
    """
    return yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - the safe loader


def _in_order(value: Any) -> Any:
    """Return YAML data as JSON data in which the order of keys and the types of values count."""
    if isinstance(value, dict):
        return {"mapping": [[_in_order(key), _in_order(entry)] for key, entry in value.items()]}
    if isinstance(value, list):
        return [_in_order(entry) for entry in value]
    if value is None or isinstance(value, str):
        return value
    return f"{type(value).__name__} {value!r}"


def folder_hash(folder: Path, pattern: str = "*.yaml") -> str:
    """Return a hash over the files of a folder that match a pattern, by name and content."""
    return fingerprint(
        {str(file.relative_to(folder)): file_hash(file) for file in sorted(folder.rglob(pattern))}
    )


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Return the hash of a domain's settings as dumped to JSON, without `PACE` and `UNHASHED`."""
    kept = {name: value for name, value in settings.items() if name not in UNHASHED}
    if isinstance(kept.get("generate"), Mapping):
        kept["generate"] = {
            name: value for name, value in kept["generate"].items() if name not in PACE
        }
    return fingerprint(kept)
