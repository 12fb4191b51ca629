"""Text in which nothing hides: control characters and direction marks are spelled out."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and line ends, marks without width or that turn the writing direction,
# surrogates, non-characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return a text with its control characters and direction marks written as <U+202E>."""
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def escaped_json(text: str) -> str:
    """Return equivalent JSON with control characters and direction marks as escapes."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
