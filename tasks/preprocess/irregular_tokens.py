"""Irregular tokens of reviews (Appendix B), and texts without them.

Tokens are separated by whitespace, after entities are decoded and HTML tags are removed. A token
is irregular if

1. it has a control, private-use, unassigned or replacement character;
2. it has no letter and no digit and is none of the marks between words (`LINKS`): rows of stars,
   smileys, emoji;
3. it has a mail address or a web address (with ://, or www. at its start or after one sign);
4. it refers to something a shop shows with the review: [[VIDEOID:...]], [[ASIN:... (the product's
   name after it is kept);
5. it has more than 40 ASCII letters, digits or base64 signs in a row: no word is that long.

Everything else is kept: punctuation at words, accents, apostrophes, numbers, prices, scripts
without spaces. Invisible formatting characters are removed from a token. An irregular token is
removed with the whitespace after it; other line breaks are kept. A review with tags or entities is
returned with single spaces, one without anything irregular unchanged.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

LINKS = frozenset({*"&+-–—/.…,;:!?()\"'=%$#@", "--", "..", "..."})
MAX_WORD = 40  # ASCII letters, digits and base64 signs in a row
_TOKEN = re.compile(r"(\S+)\s*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*-->")
_ADDRESS = re.compile(r"[A-Za-z]://|^[^\w\s]?[Ww]{3}\.[A-Za-z0-9]|[\w.+-]@[\w-]+\.[A-Za-z]{2}")
_REFERENCES = ("[[VIDEOID:", "[[ASIN:")
_LONG_RUN = re.compile(rf"[A-Za-z0-9+/=]{{{MAX_WORD + 1}}}")
_WORDLIKE = re.compile(r"[^\W_]")
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)
_FORBIDDEN = frozenset({"Cc", "Co", "Cn", "Cs"})


def regular_text(text: str) -> str:
    """Return a review's text without its irregular tokens; the same text if it has none."""
    plain = text if text.isascii() else _INVISIBLE.sub("", text)
    if "&" in text or "<" in text:
        # Twice, because some sites encode entities twice.
        decoded = _INVISIBLE.sub("", _TAG.sub(" ", html.unescape(html.unescape(text))))
        if decoded != plain:
            return " ".join([token for token in decoded.split() if not _is_irregular_fast(token)])
    starts = [match.start() for match in _TOKEN.finditer(plain) if not _is_plain_word(match[1])]
    return without_irregular(plain, starts)


def without_irregular(text: str, starts: list[int]) -> str:
    """Remove the irregular ones of the tokens that begin at `starts`, in ascending order.

    The text has neither tags nor entities.
    """
    changed = False
    for start in reversed(starts):
        token = _TOKEN.match(text, start)
        if token and _is_irregular_fast(token[1]):
            text = text[:start] + text[token.end() :]
            changed = True
    return text.strip() if changed else text


def is_irregular(token: str) -> bool:
    """Return True if a token, without whitespace, tags and entities, is irregular."""
    if not _WORDLIKE.search(token):
        return token not in LINKS
    if token.startswith(_REFERENCES):
        return True
    if len(token) > MAX_WORD and _LONG_RUN.search(token):
        return True
    if ("." in token or "://" in token) and _ADDRESS.search(token):
        return True
    return "\ufffd" in token or _has_forbidden(token)


def _has_forbidden(token: str) -> bool:
    if token.isprintable():
        return False
    return any(unicodedata.category(char) in _FORBIDDEN for char in token)


@lru_cache(maxsize=1 << 15)
def _short_is_irregular(token: str) -> bool:
    return is_irregular(token)


def _is_irregular_fast(token: str) -> bool:
    """Return the same as `is_irregular`; plain words are not examined, short tokens cached."""
    if len(token) > MAX_WORD:
        return is_irregular(token)
    return not token.isalpha() and _short_is_irregular(token)


def _is_plain_word(token: str) -> bool:
    return token.isalpha() and len(token) <= MAX_WORD
