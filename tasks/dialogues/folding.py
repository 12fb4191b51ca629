"""How text and titles are made comparable before a title is looked for: marks are unified, letter case is kept."""

from __future__ import annotations

import re

_QUOTES = re.compile("[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a`*_']")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_POINT_BEFORE_QUOTE = re.compile(r'[.,](?=")')


def fold(text: str) -> str:
    """Return text with quotation and emphasis marks as `"`, dashes as `-`, `&` as `and`, no point or comma before a closing mark.

    Line breaks stay, so that many utterances can be folded in one string.
    """
    folded = _QUOTES.sub('"', text)
    if not folded.isascii():
        folded = _DASHES.sub("-", folded)
    folded = folded.replace(" & ", " and ")
    return _POINT_BEFORE_QUOTE.sub("", folded)
