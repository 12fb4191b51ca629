"""One entry of a list: its title, and shorter readings in case the catalogue has no match."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LINK = re.compile(r"!?\[([^\[\]]+)\]\([^()\s]*\)")
_TAG = re.compile(r"</?[a-zA-Z][\w-]{0,20}(?:\s[^<>]{0,200})?/?>")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~\"'-])")
_CHECKBOX = re.compile(r"^\[[ xX]\]\s+")
_BEHIND = (
    r"(?P<rest>\s*(?:[-–—:,;(（\[|/].*|(?:by|directed|written|from|starring|is|was|with)\b.*)?)$"
)
_BOOK = re.compile(r"^[《『](?P<title>[^《》『』]+)[》』](?P<rest>.*)$")
_STRONG = re.compile(r"^(?P<mark>\*\*|__|`)(?P<title>\S.*?)(?P=mark)(?!\w)(?P<rest>.*)$")
_MARKED = re.compile(
    rf"""^(?:\*|_|["“”„«»‹‘‚'《〈「『])\s?(?P<title>\S.*?)\s?(?:\*|_|["“”»«›’‘'》〉」』])(?!\w){_BEHIND}"""
)
# American style: the comma is inside the quotation marks.
_COMMA_INSIDE = re.compile(r"""^["“](?P<title>[^"“”]*\S),["”](?P<rest>.*)$""")
# The title ends at a year or a closing mark.
_AFTER_TITLE = re.compile(r"(?<=[)\]\"”»])\s*(?:[-–—:,;|/].*|[A-Za-z(\[].*)$")
_CUTS = re.compile(
    r"\s[-–—~|/]+\s|\s*[|;\t]\s*|\s[(\[]|\s*[（［]|,\s*(?=[(\[]?(?:1[89]|20)\d\d\b)"
    r"|,\s(?=(?:year|genre|director|author|released?)\b)"
    r"|\s(?:by|starring)\s|,?\s(?:directed|written)\sby\s|,\s(?=by\s)",
    re.IGNORECASE,
)
# The title in another language.
_OTHER = re.compile(
    r"[(\[（［](?P<inside>[^()\[\]（）［］]{2,})[)\]）］]|\s/\s(?P<behind>[^()\[\]/]{2,})$"
)
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_YEAR_BEHIND = re.compile(r"\s*[,，]\s*(?:1[89]|20)\d\d$")
_FRONT = re.compile(r"^\[[^\[\]]{1,40}\]\s*(?=\S)")  # a number or genre in front of a title
_FOOTNOTE = re.compile(r"(?<=\S)(?:\[\d{1,3}\])+$")
_NO_TITLE = re.compile(r"\[\d{1,3}\]|\d{1,3}[.)]|[.\u2026*_#-]+")
_COLON = re.compile(r":\s+|[–—]")
_MARKS = frozenset("*_\"“”„«»‹‘‚'《〈「『")
_PICTURES = frozenset(("So", "Sk", "Mn", "Cf"))
_LONGEST = 300  # characters of an entry; what is longer is prose
_MOST_READINGS = 8
_PROSE_WORDS = 4  # from how many words on a text behind a colon may be a description
_LABEL = re.compile(
    r"^(?:\d{1,3}(?:st|nd|rd|th)\s*[-–—:.)]\s+"
    r"|[\"']?(?:title|movie|film|book|name|item|product|recommendation|option|pick|choice|top"
    r"|rank)[\"']?\s*#?\d*\s*[:=]\s+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Recommended:
    """One entry of an answer.

    Attributes:
        title: the title as read.
        shorter: shorter readings to try if the catalogue does not know it.
        parted_by: what parted it from the entry before, in a list on one line: one title may have
            been parted by its own comma or "and".
    """

    title: str
    shorter: tuple[str, ...] = ()
    parted_by: str = ", "


def entry_of(text: str) -> Recommended:
    """Return the entry in a piece of text; its title is empty where there is none."""
    bare = _LABEL.sub("", _plain(text[:_LONGEST]))
    if _NO_TITLE.fullmatch(bare):
        return Recommended("")
    if marked := _STRONG.match(bare):
        title = _unquoted(marked["title"].strip().rstrip(":").strip())
        return Recommended(title, _shorter(title))
    if bare[:1] in _MARKS and (
        marked := _BOOK.match(bare) or _MARKED.match(bare) or _COMMA_INSIDE.match(bare)
    ):
        title = marked["title"].strip().rstrip(",")
        return Recommended(title, tuple(_others(marked["rest"])))
    return Recommended(bare, _shorter(bare))


def _plain(text: str) -> str:
    """Return text without links, tags, escapes, checkboxes and pictures."""
    bare = " ".join(text.split())
    for mark, pattern, instead in (
        ("](", _LINK, r"\1"),
        ("<", _TAG, ""),
        ("\\", _ESCAPED, r"\1"),
        ("[", _CHECKBOX, ""),
    ):
        bare = pattern.sub(instead, bare) if mark in bare else bare
    start = 0
    while start < len(bare) and (
        bare[start].isspace() or unicodedata.category(bare[start]) in _PICTURES
    ):
        start += 1
    return _FOOTNOTE.sub("", bare[start:].strip())


def _unquoted(title: str) -> str:
    match = _MARKED.match(title) if title[:1] in _MARKS else None
    return match["title"].strip() if match and not match["rest"].strip() else title


def _shorter(bare: str) -> tuple[str, ...]:
    """Return shorter readings of a title, the longest first.

    They are the text without year, maker or description, then a title in another language.
    """
    cuts = {match.start() for match in (*_AFTER_TITLE.finditer(bare), *_CUTS.finditer(bare))}
    cuts |= {match.start() for match in _COLON.finditer(bare) if _is_prose(bare[match.end() :])}
    readings = (bare[:cut].strip().rstrip(",").strip() for cut in sorted(cuts, reverse=True))
    label = _FRONT.match(bare)
    both = [*readings, *_others(bare), *([bare[label.end() :]] if label else [])]
    return tuple(
        dict.fromkeys(_unquoted(reading) for reading in both if reading and reading != bare)
    )[:_MOST_READINGS]


def _others(text: str) -> Iterator[str]:
    """Yield possible titles in another language: in brackets or after a slash, years excluded."""
    for match in _OTHER.finditer(text):
        other = _YEAR_BEHIND.sub("", match["inside"] or match["behind"]).strip()
        if len(other) > 1 and not _YEAR.search(other):
            yield other


def _is_prose(text: str) -> bool:
    """Return True for a description, False for a subtitle.

    Most words of a description are lower-case, or it ends as a sentence does.
    """
    words = [word for word in text.split() if word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    if text.endswith(".") and len(words) > 1 and small * 2 >= len(words):
        return True
    return len(words) >= _PROSE_WORDS and small * 2 > len(words)


_FEWEST = 2  # titles that all have a score
_POINTS = (
    r"(?:[01]?\.\d{1,6}|\d{1,2}\.\d{1,3}|\d{1,3}(?:\.\d{1,2})?\s?%"
    r"|\d{1,2}(?:\.\d{1,2})?\s?/\s?(?:5|10|100)"
    r"|\d(?:\.\d)?\sstars?|\d{1,2}(?:\.\d)?\sout\sof\s\d{1,3}|[\u2605\u2606\u2b50]{1,10})"
)
_NAME = r"(?:(?:score|rating|confidence|relevance|probability|match|similarity)\s?[:=]?\s?)?"
_SCORE_BEHIND = re.compile(
    r"(?<=\S)(?:(?:\s{0,4}[:=|\u2013\u2014,\t\uff1a-]\s{0,4}|\s{0,4}[(\[\uff08]|\s)"
    rf"\s?{_NAME}~?{_POINTS}\s?[)\]\uff09]?"
    r"|\s{0,4}[:=|\uff1a]\s{0,4}\d{1,3})(?P<mark>\*\*|__|[*_])?$",
    re.IGNORECASE,
)
_SCORE_BEFORE = re.compile(
    rf"[(\[]?{_NAME}{_POINTS}[)\]]?\s{{0,4}}[:|\u2013\u2014-]?\s{{1,4}}(?=\S)", re.IGNORECASE
)


def without_scores(titles: Sequence[str]) -> list[str]:
    """Return titles without scores before or behind them, where every one of at least two has one.

    Read as scores: 0.95, (0.95), 95 %, 4.5/5, 9/10, 4 stars, stars drawn, "score: 0.9", and whole
    numbers behind a colon. One title alone with a number behind it keeps it.
    """
    bare = [title.strip() for title in titles]
    for find, is_behind in ((_SCORE_BEHIND.search, True), (_SCORE_BEFORE.match, False)):
        scores = [find(title) for title in bare]
        if len(titles) >= _FEWEST and None not in scores:
            pairs = zip(bare, scores, strict=True)
            return [_without(title, score, is_behind) for title, score in pairs if score]
    return list(titles)


def _without(title: str, score: re.Match[str], is_behind: bool) -> str:
    if not is_behind:
        return title[score.end() :]
    return title[: score.start()].rstrip() + (score["mark"] or "")
