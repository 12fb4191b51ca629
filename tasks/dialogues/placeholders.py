"""Item placeholders: `{{item:1}}` becomes the clean title of slot 1.

Every spelling of a placeholder is accepted as long as the slot is certain.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache

from tasks.titles import folded_key, names_sequel, number_follows, unify_marks, year_end

PLACEHOLDER = re.compile(
    r"""\$?(?:
        \\?\{(?:\\?\{){0,3}\s*(?:item|slot)s?\s*\\?[:\uff1a#_-]?\s*(?P<braced>\d{1,3})\s*
        (?:[:|,=\u2013-]\s*(?P<title>[^{}\n]{1,300}?)\s*)?\\?\}(?:\\?\}){0,3}
        |\[\[?\s*item\s*[:_]\s*(?P<bracketed>\d{1,3})\s*\]\]?
        |\[\[\s*item\s*(?P<doubled>\d{1,3})\s*\]\]
        |<<?\s*item\s*[:_]?\s*(?P<angled>\d{1,3})\s*>?>
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# Replaces a title in the masked text; a control character, so it is never part of a title.
CUT = "\x01"
_NUMBERS = ("braced", "bracketed", "doubled", "angled")
_NAMED = re.compile(r"\{{1,3}\s*([^{}\n]{1,300}?)\s*\}{1,3}")
_OPENERS = "{[<"
# NUL, our own mark and lone surrogates: no text column should hold them.
_UNSTORABLE = re.compile("[\x00\x01\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
_LITERAL_LETTER = re.compile(r"\\u([0-9a-fA-F]{4})")
_LITERAL_BREAK = re.compile(r"(?:\\r)?\\n")
_BREAK_TAG = re.compile(r"<br ?/?>", re.IGNORECASE)
_OPENING = ("\u2018", "\u201c")
_CLOSING = re.compile(r"\s*\)")
_MARKS = "\"'*_\u2018\u2019\u201c\u201d"


def tidy(text: str) -> str:
    """Return one line of text.

    White space is collapsed, also where line breaks were written out, as a backslash and an n or as
    `<br>`; HTML entities and letters written as their numbers become characters; what cannot be
    stored is replaced by U+FFFD, which the gate rejects as garbled.
    """
    if "\\" in text:
        text = _LITERAL_BREAK.sub(" ", text)
        text = _LITERAL_LETTER.sub(lambda letter: chr(int(letter[1], 16)), text)
        text = text.replace('\\"', '"')
    if "<" in text:
        text = _BREAK_TAG.sub(" ", text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    # The common case: no white space but single spaces, nothing that cannot be stored.
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    return _UNSTORABLE.sub("\ufffd", " ".join(text.split()))


def fill(text: str, titles: Mapping[int, str]) -> tuple[str, str, tuple[int, ...]]:
    """Replace placeholders by titles.

    A title written next to its placeholder is taken as part of it. A placeholder whose slot does
    not exist, or that holds another title than its slot's, is left unchanged. One with a sequel's
    number or a year in brackets behind it ("{{item:1}} 2") is filled and names no slot: the title
    matcher reads it as text.

    Args:
        text: one tidied utterance.
        titles: clean title by slot number.

    Returns:
        The text to publish, the same text with each placeholder that names its slot cut out (for
        the title matcher), and the slots named, in order.
    """
    if not any(opener in text for opener in _OPENERS):
        return text, text, ()
    filled, masked, slots = [""], [""], []
    at = 0
    for start, end, slot in _found(text, titles):
        if start < at:
            continue
        filled += [text[at:start], titles[slot]]
        # With a year behind it the catalogue may have another item: the matcher has to see both.
        dated = year_end(text, end) is not None
        is_text = dated or _sequel_behind(text, end, titles[slot])
        masked += [text[at:start], titles[slot] if is_text else CUT]
        slots += [] if is_text else [slot]
        at = end
    return "".join([*filled, text[at:]]), "".join([*masked, text[at:]]), tuple(dict.fromkeys(slots))


def _found(text: str, titles: Mapping[int, str]) -> list[tuple[int, int, int]]:
    """Return the spans of placeholders that can be filled, each with its slot, in order."""
    spans = []
    numbered = set()
    for match in PLACEHOLDER.finditer(text):
        numbered.add(match.start())
        slot = int(next(match[name] for name in _NUMBERS if match[name]))
        if slot in titles and _fits(match["title"], titles[slot]):
            start, end = _with_adjacent_title(text, match.start(), match.end(), titles[slot])
            spans.append((start, end, slot))
    for match in _NAMED.finditer(text) if "{" in text else ():
        slots = [slot for slot, title in titles.items() if _same(match[1], title)]
        if slots and match.start() not in numbered:
            spans.append((match.start(), match.end(), slots[0]))
    return sorted(spans)


def _fits(written: str | None, title: str) -> bool:
    """Return True if a placeholder holds no title, or its slot's."""
    return written is None or _same(written, title)


def _sequel_behind(text: str, end: int, title: str) -> bool:
    if not number_follows(text, end):
        return False
    before, after = unify_marks(text[:end]), unify_marks(text[end:])
    return names_sequel(before + after, len(before), title)


def _same(written: str, title: str) -> bool:
    return bool(title) and folded_key(written.strip(_MARKS)) == folded_key(title)


def _with_adjacent_title(text: str, start: int, end: int, title: str) -> tuple[int, int]:
    """Return the span of a placeholder and the title right next to it: `{{item:1}} (Heat)`.

    A title of one word must be in brackets or between marks: "{{item:1}} it was" may well mean no
    film called "It".
    """
    if not title or title.casefold() not in text.casefold():
        return start, end
    after, before = _adjacent(title)
    follows, precedes = after.match(text, end), before.search(text, 0, start)
    if follows:
        opened = follows[0][0] in _MARKS and text[start - 1 : start] in (*_OPENING, follows[0][0])
        return start - opened, follows.end()
    if precedes:
        closes = _CLOSING.match(text, end) if precedes[0].rstrip().endswith("(") else None
        return precedes.start(), closes.end() if closes else end
    return start, end


@lru_cache(maxsize=4096)
def _adjacent(title: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a title after and before its placeholder."""
    bare, mark = re.escape(title), f"[{_MARKS}]"
    alone = f"{mark}{bare}{mark}" + (rf"|{bare}(?!\w)" if " " in title else "")
    alone_before = f"{mark}{bare}{mark}" + (rf"|(?<!\w){bare}" if " " in title else "")
    after = rf"{mark}?\s*(?:\(\s*{mark}?{bare}{mark}?\s*\)|[-:\u2013\u2014]?\s*(?:{alone}))"
    before = rf"(?:(?<!\w){mark}?{bare}{mark}?\s*\(\s*|(?:{alone_before})\s*[-:\u2013\u2014]?\s*)\Z"
    return re.compile(after, re.IGNORECASE), re.compile(before, re.IGNORECASE)
