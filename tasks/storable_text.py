"""Text that can be stored: what UTF-8 can encode and DuckDB can hold."""

from __future__ import annotations

import re

# Surrogates, which UTF-8 cannot encode, and NUL, which ends a text in DuckDB.
_NOT_STORABLE = re.compile("[\ud800-\udfff\x00]")
REPLACEMENT = "\ufffd"


def valid_text(text: str) -> str:
    """Return text with surrogate pairs joined, and lone surrogates and NUL replaced."""
    if not _NOT_STORABLE.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", REPLACEMENT)
