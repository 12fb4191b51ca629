"""Which tokens of a review are no words (Appendix B), and the review without them.

A token is what stands between whitespace, after entities are decoded and HTML tags are taken out. It is irregular when

1. it holds a control, private-use, unassigned or replacement character;
2. it has no letter and no digit and is none of the marks that link or part words (`LINKS`): rows of stars, smileys, emoji;
3. it is a web or mail address;
4. it has more than 40 ASCII letters, digits or base64 signs in a row: no word of a language is that long.

Everything else stays as it is: punctuation at words, accents, apostrophes, numbers, prices, scripts without spaces.
Invisible formatting characters are taken out of a token, which stays. A review without anything irregular keeps its exact text,
line breaks included; any other comes back with single spaces.
"""

from __future__ import annotations

import html
import re
import unicodedata

LINKS = frozenset({*"&+-–—/.…,;:!?()\"'=%$#@", "--", "..", "..."})
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--.{0,2000}?-->", re.DOTALL)
_ADDRESS = re.compile(r"(?:https?|ftp)://|(?:^|[^a-z0-9])www\.[a-z0-9]|[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE)
_SALAD = re.compile(r"[A-Za-z0-9+/=]{41}")
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_FORBIDDEN = frozenset({"Cc", "Co", "Cn", "Cs"})

_MARK = r"[^\s\pL\pN]"
_SUSPECTS = (
    r"[<&\x00-\x08\x0b-\x1f\x7f-\x{a0}\x{ad}\x{1680}\x{2000}-\x{200b}\x{200e}\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{3000}\x{feff}\x{fffd}]",
    r"[\p{Co}\x{fff0}-\x{fffb}]",
    r"[^\x00-\x{ffff}]",
    r"://|[wW]{3}\.|@",
    r"[A-Za-z0-9+/=]{41}",
    rf"(?:^|\s)(?:[^\s\pL\pN&+\-–—/.…,;:!?()\"'=%$#@]|[^\s\pL\pN.\-]{_MARK}|-[^\s\pL\pN\-]|\.[^\s\pL\pN.]|"
    rf"[^\s\pL\pN.]{_MARK}{{2,}}|\.[^\s\pL\pN.]{_MARK}+|\.\.[^\s\pL\pN.]{_MARK}*|\.\.\.{_MARK}+)(?:\s|$)",
)
SUSPECT = "|".join(f"(?:{part})" for part in _SUSPECTS)
"""RE2 pattern: a text it does not match has no irregular token. Most texts it matches have one; the others come back unchanged in words."""


def regular_text(text: str) -> str:
    """Return a review's text without its irregular tokens."""
    decoded = _TAG.sub(" ", html.unescape(html.unescape(text))) if "&" in text or "<" in text else text
    tokens = _INVISIBLE.sub("", decoded).split()
    kept = [token for token in tokens if not is_irregular(token)]
    return text if len(kept) == len(tokens) and decoded == text else " ".join(kept)


def is_irregular(token: str) -> bool:
    """Tell whether a token, free of whitespace, tags and entities, is no word."""
    if token.isascii() and token.isalnum() and len(token) <= 40:
        return False
    if not any(char.isalnum() for char in token):
        return token not in LINKS
    return bool(_ADDRESS.search(token) or _SALAD.search(token)) or any(
        unicodedata.category(char) in _FORBIDDEN or char == "\ufffd" for char in token
    )
