"""Titles as people say them: without markup, and without edition or medium at the end."""

from __future__ import annotations

import html
import re
from contextlib import suppress

_COUNT = r"(?:\d+|two|three|four|five|six)"
_MEDIA = "|".join(
    (
        r"vhs(?: tape| video)?|video|tape",
        r"dvds?(?:[- ]?(?:video|audio|r|rom))?(?: set)?",
        r"blu[- ]?rays?(?: 3d)?(?: discs?)?|hd[- ]?dvd",
        r"umd(?: for psp)?|laser ?disc|bd(?:-live)?",
        r"3d|4k(?: uhd| ultra hd)?|ultra ?hd|uhd",
        r"digital(?: hd| copy)?|ultraviolet",
        r"audio cd|mp3 cd|cd|audiobook|kindle|e-?book|audible",
        r"(?:mass market )?paperback|hardcover|board book|large print|(?:un)?abridged",
        r"(?:region \d |[a-z]{2,9} )?import|ntsc|pal|region \d|region free",
        r"anamorphic|full ?-?screen|wide ?-?screen|letterbox(?:ed)?",
        r"unrated|uncut|limited|(?:digitally )?remastered|repackaged|bilingual",
        r"(?:[a-z]{3,10} )?(?:dubbed|subtitled|subtitles)",
        r"(?:[a-z]{3,10} )?exclusive|(?:amazon )?instant video",
        r"\d+(?:st|nd|rd|th) anniversary|(?:the )?criterion(?: collection)?",
        r"combo(?: pack)?|steel ?book|slip ?case|digi ?pak",
        rf"{_COUNT}[- ]?(?:discs?|dvds?|tapes?)(?: set)?|(?:boxe?d? ?)?set",
    )
)
_MEDIUM = re.compile(rf"(?:{_MEDIA})(?: (?:{_MEDIA}))*", re.IGNORECASE)
_EDITION = re.compile(r"(?:\S+ ){0,6}(?:edition|version|release|cut)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_BRACKETED = re.compile(r"[\[(【（]([^\[\]()【】（）]{1,80})[\])】）]")
_SEPARATOR = re.compile(r"[,/+&;:|]| and | - ")
_PLAIN_EDITION = (
    rf"(?:(?:{_COUNT}[- ]disc|special|collector[’']?s|limited|deluxe|extended|ultimate|unrated|"
    r"wide ?screen|full ?screen|anniversary|"
    r"revised|second|third|kindle|\d+(?:st|nd|rd|th)) ){1,4}edition"
)
_TRAILING = re.compile(
    r"(?<=\S)(?: on | ?[-:,/|] ?| )(?:vhs|dvd|blu[- ]?ray|hd[- ]dvd)"
    r"(?: set| edition| tape| video)?(?: (?:19|20)\d\d)?$|"
    r"(?<=\S)(?: ?[-:,/|] ?| )(?:(?:mass market )?paperback|hardcover|wide ?screen|full ?screen)$|"
    rf"(?<=\S) {_PLAIN_EDITION}$|"
    r"(?<=\S) ?[-:,–] (?:\S+ ){1,3}edition$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"the|an?", re.IGNORECASE)
_PROGRAM = re.compile(r"\bfunction ?\w*\(|\.getTime\(|^ *var \w+ ?=|\bdocument\.\w+")
_MISREAD = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]|\u00e2\u20ac")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*-->")
_SCRIPT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd\ue000-\uf8ff]"
)


_PLAIN = re.compile(r"[A-Za-z0-9'.!?]+(?:(?: |[:,;] |-)[A-Za-z0-9'.!?]+)*")
_TOLD = ("vhs", "dvd", "blu", "paperback", "hardcover", "screen", "edition", "document")
"""Parts of all that is removed from the end of a title of plain words, and of a page's script."""


def clean_title(text: str) -> str:
    """Return a title without markup, entities, control characters, medium and edition.

    UTF-8 that was read as Latin-1 or Windows-1252 is corrected. A step that would leave only signs
    or an article is not done, so the title "VHS" stays "VHS". Only a text that is blank, pure
    markup or a piece of a page's script becomes empty. The time is proportional to the length of
    any text.
    """
    if _is_clean(text):
        return text
    plain = _collapse_spaces(_without_markup(_INVISIBLE.sub(" ", _fix_encoding(text))))
    return "" if _PROGRAM.search(plain) else without_edition(plain)


def _is_clean(text: str) -> bool:
    """Return True for plain words in which no step would find anything, as most titles are."""
    if not _PLAIN.fullmatch(text):
        return False
    folded = text.lower()
    return not any(part in folded for part in _TOLD)


def without_edition(title: str) -> str:
    """Return a title without its medium or edition, in brackets or at its end.

    A step that would leave only signs or an article is not done.
    """
    for shorten in (_without_brackets, _without_ending, _without_ending, _without_brackets):
        candidate = _collapse_spaces(shorten(title)).rstrip(" -:,/|")
        if any(map(str.isalnum, candidate)) and not _ARTICLE.fullmatch(candidate):
            title = candidate
    return title


def _fix_encoding(text: str) -> str:
    """Return text that was decoded from UTF-8 by another encoding, as "CafÃ©", decoded rightly."""
    if not _MISREAD.search(text):
        return text
    for encoding in ("latin-1", "cp1252"):
        with suppress(UnicodeError):
            return text.encode(encoding).decode("utf-8")
    return text


def _without_markup(text: str) -> str:
    """Decode entities and remove tags, three times at most: some are encoded twice."""
    for _ in range(3):
        decoded = _INVISIBLE.sub(" ", _TAG.sub(" ", _SCRIPT.sub(" ", html.unescape(text))))
        if decoded == text:
            break
        text = decoded
    return text


def _without_brackets(title: str) -> str:
    """Remove brackets with media, editions and years only; years alone are kept."""
    return _BRACKETED.sub(lambda match: " " if _is_edition(match[1]) else match[0], title)


def _is_edition(text: str) -> bool:
    parts = [part.strip() for part in _SEPARATOR.split(text)]
    other = [part for part in parts if not _YEAR.fullmatch(part)]
    return bool(other) and all(
        _MEDIUM.fullmatch(part) or _EDITION.fullmatch(part) for part in other
    )


def _without_ending(title: str) -> str:
    return _TRAILING.sub("", title)


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())
