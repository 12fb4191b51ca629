"""Titles as a person would say them: no markup, no edition or medium behind them."""

from __future__ import annotations

import html
import re

_MEDIA = (
    r"vhs(?: tape)?|dvds?(?:[- ]?(?:video|audio|r|rom))?(?: set)?|blu[- ]?rays?(?: 3d)?(?: discs?)?|hd[- ]?dvd|umd(?: for psp)?|"
    r"laser ?disc|bd(?:-live)?|3d|4k(?: uhd| ultra hd)?|ultra ?hd|uhd|digital(?: hd| copy)?|ultraviolet|audio cd|mp3 cd|audiobook|kindle|"
    r"(?:mass market )?paperback|hardcover|import|ntsc|pal|region \d|region free|full ?-?screen|wide ?-?screen|letterbox(?:ed)?|unrated|"
    r"uncut|remastered|dubbed|subtitled|(?:the )?criterion(?: collection)?|combo(?: pack)?|"
    r"(?:\d+|two|three|four|five|six)[- ]?(?:discs?|dvds?|tapes?)(?: set)?|(?:boxe?d? ?)set"
)
_MEDIUM = re.compile(rf"(?:{_MEDIA})(?: (?:{_MEDIA}))*", re.IGNORECASE)
_EDITION = re.compile(r"(?:\S+ ){0,6}(?:edition|version|release|cut)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_BRACKETED = re.compile(r"[\[(]([^\[\]()]{1,80})[\])]")
_SEPARATOR = re.compile(r"[,/+&;:|]| and | - ")
_TRAILING = re.compile(
    r"(?<=\S)(?: on | ?[-:,/|] ?| )(?:vhs|dvd|blu-?ray)(?: set| edition)?$|(?<=\S) ?[-:,–] (?:\S+ ){1,3}edition$",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*-->")
_SCRIPT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd\ue000-\uf8ff]")


def clean_title(text: str) -> str:
    """Return a title without markup, entities, control characters and what names only the medium or the edition.

    A step that would leave no letter and no digit is not taken, so a title that is nothing but "VHS" stays "VHS". Only a text
    that is blank or pure markup comes back empty. Takes time in proportion to the text, whatever stands in it.
    """
    plain = _tidy(_without_markup(_UNSEEN.sub(" ", text)))
    for shorter in (_without_brackets, _without_ending, _without_brackets):
        candidate = _tidy(shorter(plain)).rstrip(" -:,/|")
        plain = candidate if any(char.isalnum() for char in candidate) else plain
    return plain


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
    return bool(named) and all(_MEDIUM.fullmatch(part) or _EDITION.fullmatch(part) for part in named)


def _without_ending(title: str) -> str:
    return _TRAILING.sub("", title)


def _tidy(text: str) -> str:
    return " ".join(text.split())
