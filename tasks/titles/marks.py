"""Text and titles with their marks unified, so that a title can be looked for in speech as written: letter case stays."""

from __future__ import annotations

_QUOTES = "'*_`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


def unify_marks(text: str) -> str:
    """Return text with quotation and emphasis marks as `"`, dashes as `-`, `&` as `and`.

    No point or comma stands before a closing mark. Line breaks stay, so that many utterances
    can be treated as one string.
    """
    unified = text.replace(" & ", " and ")
    for mark in _QUOTES:
        unified = unified.replace(mark, '"')
    for dash in _DASHES:
        unified = unified.replace(dash, "-")
    return unified.replace(',"', '"').replace('."', '"')
