"""Answers by the hash of their messages: a folder of `answers`, and of `prompts` without one yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PENDING = "PENDING"
"""What a prompt without an answer gets."""


def message_key(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the name that an answer to some messages has in a folder."""
    asked = json.dumps(list(messages), sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def keep_answer(folder: Path, messages: Sequence[Mapping[str, Any]], text: str) -> Path:
    """Write an answer where `replay` finds it."""
    path = folder / "answers" / f"{message_key(messages)}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def replay(folder: Path, body: Mapping[str, Any]) -> str:
    """Return the answer to a chat request, or write its prompt down and return `PENDING`."""
    key = message_key(body["messages"])
    answer = folder / "answers" / f"{key}.txt"
    if answer.exists():
        return answer.read_text(encoding="utf-8")
    prompt = folder / "prompts" / f"{key}.json"
    prompt.parent.mkdir(parents=True, exist_ok=True)
    prompt.write_text(json.dumps(body, ensure_ascii=False, indent=1), encoding="utf-8")
    return PENDING
