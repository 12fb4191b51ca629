"""Untrusted text inside a prompt: always a JSON value in a marked block."""

from __future__ import annotations

import json
import re
from typing import Any

from tasks.languages import cut_words

OPEN = "<data>"
CLOSE = "</data>"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_UNSAFE = re.compile(
    "[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)


def fence(value: Any) -> str:
    """Return a JSON value as a data block that its content cannot end.

    `<` and `>` are written as JSON escapes, so no text inside can form the closing marker; control
    characters, direction marks and lone surrogates are escaped too. Raises TypeError on values
    that JSON does not have.
    """
    text = _ENCODER.encode(value).replace("<", "\\u003c").replace(">", "\\u003e")
    if not text.isascii():
        text = _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return f"{OPEN}\n{text}\n{CLOSE}"


def cut_to_words(text: str, most: int) -> str:
    """Return at most `most` words of a text, with `...` if it was cut."""
    cut = cut_words(text, most)
    return text if cut == text else f"{cut} ..."
