"""How text and titles are made comparable before a title is looked for: marks are unified, letter case is kept."""

from __future__ import annotations

_QUOTES = "'*_`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


def fold(text: str) -> str:
    """Return text with quotation and emphasis marks as `"`, dashes as `-`, `&` as `and`, no point or comma before a closing mark.

    Line breaks stay, so that many utterances can be folded in one string.
    """
    folded = text.replace(" & ", " and ")
    for mark in _QUOTES:
        folded = folded.replace(mark, '"')
    for dash in _DASHES:
        folded = folded.replace(dash, "-")
    return folded.replace(',"', '"').replace('."', '"')
