"""Takes secrets out of text that is kept or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from tasks.llm.provider_reply import valid_text

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SECRET_SHAPE = re.compile(r"\b(?:sk|pk|rk|gsk|xai|hf|AIza)[-_][\w*-]{6,}|(?<=Bearer )[\w.~+/=-]+|(?<=://)[^/\s@]+:[^/\s@]+(?=@)")
_SHORTEST = 6  # a shorter value would match ordinary words
HIDDEN = "[secret]"


def scrub(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return text without anything that is, or looks like, an API key, a bearer token or a password in an address."""
    values = os.environ if environment is None else environment
    found = {value.strip() for name, value in values.items() if _SECRET_NAME.search(name)}
    for secret in sorted((value for value in found if len(value) >= _SHORTEST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _SECRET_SHAPE.sub(HIDDEN, text)


def one_line(text: str, longest: int = 300) -> str:
    """Return text that can be stored, scrubbed, on one line, cut to `longest` characters."""
    line = " ".join(scrub(valid_text(text)).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
