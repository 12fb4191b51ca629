"""Text that can be stored: what UTF-8 can encode and DuckDB can hold."""

from __future__ import annotations

import re

# UTF-8 cannot encode the first, DuckDB's text ends at the second.
_NOT_STORED = re.compile("[\ud800-\udfff\x00]")
REPLACEMENT = "\ufffd"


def valid_text(text: str) -> str:
    """Return text that UTF-8 and DuckDB can hold: surrogate pairs joined, lone surrogates and NUL replaced."""
    if not _NOT_STORED.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", REPLACEMENT)
