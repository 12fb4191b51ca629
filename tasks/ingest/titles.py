"""Titles as a person would say them: no markup, no edition or medium behind them."""

from __future__ import annotations

import html
import re

_MEDIUM = (
    r"vhs(?:\s+tape)?|dvd(?:-?\s?(?:video|audio|r|rom))?(?:\s+set)?|blu-?\s?ray(?:\s+3d)?(?:\s+disc)?|hd\s?dvd|umd(?:\s+for\s+psp)?|laser\s?disc|"
    r"4k(?:\s+(?:uhd|ultra\s+hd))?|ultra\s?hd|uhd|digital(?:\s+(?:hd|copy))?|audio\s?cd|audiobook|mp3\s+cd|kindle\s+edition|"
    r"(?:mass\s+market\s+)?paperback|hardcover|import|ntsc|pal|region\s+(?:\d|free)|\d+\s*-?\s*(?:disc|dvd|vhs|tape)s?"
)
_EDITION = (
    r"(?:[\w'’.&/-]+\s+){0,5}(?:edition|version|release|series\s+set|box(?:ed)?\s?set|cut|collection\s+set)|"
    r"full\s?-?\s?screen|wide\s?-?\s?screen|letterbox(?:ed)?|unrated|remastered|dubbed|subtitled|bilingual|combo(?:\s+pack)?"
)
_PIECE = rf"(?:{_MEDIUM}|{_EDITION})"
_BRACKETED = re.compile(rf"\s*[\[(]\s*{_PIECE}(?:\s*(?:[,/+&;:|-]|and|\s)\s*{_PIECE})*\s*[\])]", re.IGNORECASE)
_TRAILING = re.compile(
    r"(?<=\S)(?:\s+on\s+(?:vhs|dvd|blu-?ray)|\s*[-:,/|]\s*(?:vhs|dvd|blu-?ray)|\s+(?:vhs|dvd|blu-?ray)(?:\s+(?:set|disc|edition))?)\s*$",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_SCRIPT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd\ue000-\uf8ff]")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]")


def clean_title(text: str) -> str:
    """Return a title without markup, entities, control characters and what names only the medium or the edition.

    A step that would leave no letter and no digit is not taken, so a title that is nothing but "VHS" stays "VHS". Only a text
    that is blank or pure markup comes back empty.
    """
    plain = _tidy(_INVISIBLE.sub(" ", _without_markup(_INVISIBLE.sub(" ", text))))
    for pattern in (_BRACKETED, _TRAILING, _BRACKETED, _EMPTY_BRACKETS):
        shorter = _tidy(pattern.sub(" ", plain)).rstrip(" -:,/|")
        plain = shorter if any(char.isalnum() for char in shorter) else plain
    return plain


def _without_markup(text: str) -> str:
    """Decode entities, also those encoded twice, and take out tags; what remains after three rounds is text."""
    for _ in range(3):
        decoded = _TAG.sub(" ", _SCRIPT.sub(" ", html.unescape(text)))
        if decoded == text:
            break
        text = decoded
    return text


def _tidy(text: str) -> str:
    return " ".join(text.split())
