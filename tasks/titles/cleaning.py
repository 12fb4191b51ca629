"""Titles as a person would say them: no markup, no edition or medium behind them."""

from __future__ import annotations

import html
import re
from contextlib import suppress

_COUNT = r"(?:\d+|two|three|four|five|six)"
_MEDIA = (
    r"vhs(?: tape| video)?|video|tape|dvds?(?:[- ]?(?:video|audio|r|rom))?(?: set)?|blu[- ]?rays?(?: 3d)?(?: discs?)?|hd[- ]?dvd|"
    r"umd(?: for psp)?|laser ?disc|bd(?:-live)?|3d|4k(?: uhd| ultra hd)?|ultra ?hd|uhd|digital(?: hd| copy)?|ultraviolet|audio cd|"
    r"mp3 cd|cd|audiobook|kindle|e-?book|audible|(?:mass market )?paperback|hardcover|board book|large print|(?:un)?abridged|"
    r"(?:region \d |[a-z]{2,9} )?import|ntsc|pal|region \d|region free|anamorphic|full ?-?screen|wide ?-?screen|letterbox(?:ed)?|"
    r"unrated|uncut|limited|(?:digitally )?remastered|repackaged|bilingual|(?:[a-z]{3,10} )?(?:dubbed|subtitled|subtitles)|"
    r"(?:[a-z]{3,10} )?exclusive|(?:amazon )?instant video|\d+(?:st|nd|rd|th) anniversary|(?:the )?criterion(?: collection)?|"
    rf"combo(?: pack)?|steel ?book|slip ?case|digi ?pak|{_COUNT}[- ]?(?:discs?|dvds?|tapes?)(?: set)?|(?:boxe?d? ?)?set"
)
_MEDIUM = re.compile(rf"(?:{_MEDIA})(?: (?:{_MEDIA}))*", re.IGNORECASE)
_EDITION = re.compile(r"(?:\S+ ){0,6}(?:edition|version|release|cut)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_BRACKETED = re.compile(r"[\[(【（]([^\[\]()【】（）]{1,80})[\])】）]")
_SEPARATOR = re.compile(r"[,/+&;:|]| and | - ")
_PLAIN_EDITION = (
    rf"(?:(?:{_COUNT}[- ]disc|special|collector[’']?s|limited|deluxe|extended|ultimate|unrated|wide ?screen|full ?screen|anniversary|"
    r"revised|second|third|kindle|\d+(?:st|nd|rd|th)) ){1,4}edition"
)
_TRAILING = re.compile(
    r"(?<=\S)(?: on | ?[-:,/|] ?| )(?:vhs|dvd|blu[- ]?ray|hd[- ]dvd)(?: set| edition| tape| video)?(?: (?:19|20)\d\d)?$|"
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
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd\ue000-\uf8ff]"
)


def clean_title(text: str) -> str:
    """Return a title without markup, entities, control characters and what names only the medium or the edition.

    UTF-8 that was read as Latin-1 or Windows-1252 is put right. A step that would leave nothing but
    signs or an article is not taken, so a title that is nothing but "VHS" stays "VHS". Only a text
    that is blank, pure markup or a piece of a page's script comes back empty. Takes time in
    proportion to the text, whatever stands in it.
    """
    plain = _tidy(_without_markup(_UNSEEN.sub(" ", _read_right(text))))
    return "" if _PROGRAM.search(plain) else without_edition(plain)


def without_edition(title: str) -> str:
    """Return a title without what names only its medium or edition, in brackets or at its end.

    A step that would leave nothing but signs or an article is not taken.
    """
    for shorter in (_without_brackets, _without_ending, _without_ending, _without_brackets):
        candidate = _tidy(shorter(title)).rstrip(" -:,/|")
        if any(map(str.isalnum, candidate)) and not _ARTICLE.fullmatch(candidate):
            title = candidate
    return title


def _read_right(text: str) -> str:
    """Undo the reading of UTF-8 as another encoding, as in "CafÃ©"; a text that is something else is returned as it is."""
    for encoding in ("latin-1", "cp1252") if _MISREAD.search(text) else ():
        with suppress(UnicodeError):
            return text.encode(encoding).decode("utf-8")
    return text


def _without_markup(text: str) -> str:
    """Decode entities, also those encoded twice, and take out tags; what remains after three rounds is text."""
    for _ in range(3):
        decoded = _UNSEEN.sub(" ", _TAG.sub(" ", _SCRIPT.sub(" ", html.unescape(text))))
        if decoded == text:
            break
        text = decoded
    return text


def _without_brackets(title: str) -> str:
    """Take out brackets in which nothing but media, editions and years stand, not only years."""
    return _BRACKETED.sub(lambda found: " " if _is_edition(found[1]) else found[0], title)


def _is_edition(text: str) -> bool:
    parts = [part.strip() for part in _SEPARATOR.split(text)]
    named = [part for part in parts if not _YEAR.fullmatch(part)]
    return bool(named) and all(
        _MEDIUM.fullmatch(part) or _EDITION.fullmatch(part) for part in named
    )


def _without_ending(title: str) -> str:
    return _TRAILING.sub("", title)


def _tidy(text: str) -> str:
    return " ".join(text.split())
