"""Content hashes, the one way everything here is identified.

What is left out of each hash, and why:

| hash             | left out                                            | why                                            |
|------------------|-----------------------------------------------------|------------------------------------------------|
| `request_key`    | API key, timeouts, concurrency, retries, prices     | they do not change what the model is asked     |
| `file_hash`      | name, folder, modification time                     | a copied file is the same source               |
| `settings_hash`  | `generate.limits`, `chunk_size`, `workers`, `mode`  | they change how fast, not what                 |
| `code_hash`      | everything outside the named rooms                  | a stage is redone only when its own code moved |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)  # made once: it is called often
ID_LENGTH = 16  # hex digits: 64 bits, under one in a million to collide among 5 million ids


def canonical(value: Any) -> bytes:
    """Return JSON that is equal for equal values: sorted keys, no spaces, UTF-8. Raises TypeError on what JSON lacks."""
    return _CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a JSON value, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def content_id(value: Any) -> str:
    """Return a short id made of a value's content, 16 hex digits."""
    return fingerprint(value)[:ID_LENGTH]


def unit(seed: int, *parts: str | int) -> float:
    """Return a number in [0, 1) that depends on the seed and the parts alone; the source of every seeded choice."""
    digest = hashlib.sha256(canonical([seed, *parts])).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_hash(modules: Iterable[str]) -> str:
    """Return a hash over the source text of modules and packages, named as imported (`tasks.ingest`)."""
    texts = {}
    for module in modules:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(module)
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        texts.update({f"{module}/{file.relative_to(origin.parent)}": hashlib.sha256(file.read_bytes()).hexdigest() for file in files})
    return fingerprint(texts)


def folder_hash(folder: Path, pattern: str = "*.yaml") -> str:
    """Return a hash over the files of a folder that match a pattern, by name and content."""
    return fingerprint({str(file.relative_to(folder)): file_hash(file) for file in sorted(folder.rglob(pattern))})


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Return the hash of a domain's settings as dumped to JSON, without what changes speed alone."""
    kept = dict(settings)
    if isinstance(kept.get("generate"), Mapping):
        kept["generate"] = {key: value for key, value in kept["generate"].items() if key not in {"limits", "chunk_size", "workers", "mode"}}
    return fingerprint(kept)
