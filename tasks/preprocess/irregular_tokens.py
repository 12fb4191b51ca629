"""Which tokens of a review are no words (Appendix B), and the review without them.

A token is what stands between whitespace, after entities are decoded and HTML tags are taken out.
It is irregular when

1. it holds a control, private-use, unassigned or replacement character;
2. it has no letter and no digit and is none of the marks that link or part words (`LINKS`): rows of
  stars, smileys, emoji;
3. it holds a mail address or a web address (with ://, or www. at its beginning or behind one sign);
4. it refers to what a shop shows beside the review: [[VIDEOID:...]], [[ASIN:... (of which the
  product's name, behind it, stays);
5. it has more than 40 ASCII letters, digits or base64 signs in a row: no word of a language is that
  long.

Everything else stays as it is: punctuation at words, accents, apostrophes, numbers, prices, scripts
    without spaces. Invisible formatting characters are taken out of a token, which stays. An
    irregular token goes together with the whitespace behind it; line breaks elsewhere stay. A
    review that has tags or entities comes back with single spaces, one that has nothing irregular
    as it was.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

LINKS = frozenset({*"&+-–—/.…,;:!?()\"'=%$#@", "--", "..", "..."})
LONGEST = 40  # ASCII letters, digits and base64 signs in a row
_TOKEN = re.compile(r"(\S+)\s*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*-->")
_ADDRESS = re.compile(r"[A-Za-z]://|^[^\w\s]?[Ww]{3}\.[A-Za-z0-9]|[\w.+-]@[\w-]+\.[A-Za-z]{2}")
_REFERENCES = ("[[VIDEOID:", "[[ASIN:")
_SALAD = re.compile(rf"[A-Za-z0-9+/=]{{{LONGEST + 1}}}")
_WORDLIKE = re.compile(r"[^\W_]")
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)
_FORBIDDEN = frozenset({"Cc", "Co", "Cn", "Cs"})


def regular_text(text: str) -> str:
    """Return a review's text without its irregular tokens; the very same text if it has none."""
    plain = text if text.isascii() else _INVISIBLE.sub("", text)
    if "&" in text or "<" in text:
        decoded = _INVISIBLE.sub("", _TAG.sub(" ", html.unescape(html.unescape(text))))
        if decoded != plain:
            return " ".join([token for token in decoded.split() if not _judged(token)])
    return without_irregular(
        plain,
        [
            found.start()
            for found in _TOKEN.finditer(plain)
            if not found[1].isalpha() or len(found[1]) > LONGEST
        ],
    )


def without_irregular(text: str, starts: list[int]) -> str:
    """Cut out what is irregular of the tokens that begin at `starts`, ascending; the text holds neither tags nor entities."""
    cut = False
    for start in reversed(starts):
        token = _TOKEN.match(text, start)
        if token and _judged(token[1]):
            text, cut = text[:start] + text[token.end() :], True
    return text.strip() if cut else text


def is_irregular(token: str) -> bool:
    """Tell whether a token, free of whitespace, tags and entities, is no word."""
    if not _WORDLIKE.search(token):
        return token not in LINKS
    if token.startswith(_REFERENCES):
        return True
    if len(token) > LONGEST and _SALAD.search(token):
        return True
    if ("." in token or "://" in token) and _ADDRESS.search(token):
        return True
    return "\ufffd" in token or (
        not token.isprintable() and any(unicodedata.category(char) in _FORBIDDEN for char in token)
    )


@lru_cache(maxsize=1 << 15)
def _short_is_irregular(token: str) -> bool:
    return is_irregular(token)


def _judged(token: str) -> bool:
    """Tell the same, at once for plain words and out of memory for what is as short as tokens that come again."""
    if len(token) > LONGEST:
        return is_irregular(token)
    return not token.isalpha() and _short_is_irregular(token)
