"""Titles on one line or in running text: separated, quoted, or in a recommending sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tasks.model_output.lists import SAYS

_FEWEST_ON_A_LINE = 4  # separators that make any line a list
_FEWEST_NAMES = 3  # pieces that make a list of one line where each begins as a title does
_LONGEST_HELD = 300  # characters a bracket may hold together
_MOST_WORDS = 12  # of a title in a sentence
_LEAD = re.compile(
    r"[^:\n]{0,160}\b(?:recommend\w*|movies|films|books|titles|suggest\w*|items|products|list"
    r"|picks|are)\b[^:\n]{0,60}:\s*+",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    "|".join(
        (
            r"\*\*(?P<bold>[^*\n]{1,150})\*\*",
            r"__(?P<under>[^_\n]{1,150})__",
            r"(?<![\w*])\*(?=\w)(?P<slanted>[^*\n]{1,150})\*",
            r'"(?P<straight>[^"\n]{1,150})"',
            "\u201c(?P<curly>[^\u201c\u201d\n]{1,150})[\u201d\u201c]",
            "\u201e(?P<low>[^\u201c\u201d\u201e\n]{1,150})[\u201c\u201d]",
            "\u00ab(?P<angle>[^\u00ab\u00bb\n]{1,150})\u00bb",
            "\u2039(?P<small_angle>[^\u2039\u203a\n]{1,150})\u203a",
            "\u300a(?P<book>[^\u300a\u300b\n]{1,150})\u300b",
            "\u3008(?P<small_book>[^\u3008\u3009\n]{1,150})\u3009",
            "\u300c(?P<corner>[^\u300c\u300d\n]{1,150})\u300d",
            "\u300e(?P<white_corner>[^\u300e\u300f\n]{1,150})\u300f",
            "\u2018(?P<curly_single>(?:[^\u2018\u2019\n]|\u2019(?=\\w)){1,150})\u2019(?!\\w)",
            r"(?<![\w'])'(?P<single>[A-Z0-9](?:[^'\n]|'(?=\w)){0,150})(?<!\s)'(?!\w)",
        )
    )
)
_TITLE_BRACKETS = re.compile(
    "\u300a([^\u300a\u300b\n]{1,150})\u300b|\u300e([^\u300e\u300f\n]{1,150})\u300f"
)
_KIND = r"(?:movies|films|books|titles|shows|games|items|albums|classics|songs|products)"
_OFTEN = r"(?: (?:also|really|definitely|probably|certainly|perhaps|highly|strongly|especially))?"
_DOING = (
    r"(?: (?:watching|seeing|reading|trying|playing|checking out|giving"
    r"|(?:that )?you (?:watch|see|try|read)))?"
)
_SOME = (
    r"(?:some|a few|other|these|those|more|the|classics|also)\b(?: [a-z-]{1,20}){0,5}?"
    r" (?:like|such as|including)"
)
_LEADS = (
    # You might enjoy ...
    r"(?:you|they)(?:['’](?:d|ll)| would| might| may| could| will| should)?" + _OFTEN,
    r" (?:enjoy|like|love|appreciate|try|watch|check out|consider|be interested in",
    r"|want to (?:watch|see|try|check out|read))" + _OFTEN + _DOING,
    # I would recommend ...
    r"|(?:i|we)(?:['’](?:d|ll)| would| can| could| will)?" + _OFTEN,
    r" (?:recommend|suggest|propose|pick|choose|go (?:for|with)|say)" + _OFTEN + _DOING,
    # Try ...
    r"|(?:try|watch|check out|consider|see|read|go for)(?: watching)?",
    # How about ...?
    r"|(?P<asking>(?:how|what) about|(?:maybe|perhaps)(?: try| watch)?"
    r"|have you (?:tried|considered))",
    # Another option is ...
    r"|(?:another|one|one more|a (?:good|great|third|second))(?: (?:good|great))?",
    r" (?:option|suggestion|choice|pick|film|movie|book) (?:is|would be|could be)",
    # My top picks are ...
    r"|(?:my|some|a few|other|good|great)\b[^.:,\n]{0,60}",
    r"\b(?:recommendations?|suggestions?|picks?|favou?rites|options|choices|ideas)",
    r"(?: [^.:,\n]{0,40})? (?:are|include|would be)",
    # Here are some thrillers: ...
    r"|(?:here (?:are|is)|for)\b[^.:,\n]{0,80}:",
)
_BEGINS = r"(?:so|then|sure|ok(?:ay)?|well|great|in that case|for you|and|or|but|also),? "
_RECOMMENDS = re.compile(
    rf"(?:(?<=[.!?:,] )|(?<=\n)|^)(?:{_BEGINS})?(?:{''.join(_LEADS)})"
    rf"(?: {_SOME}| (?:either|both|the following|{_KIND}))?(?:,? (?:like|such as))?:? +",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"""(?<!\b[A-Z])(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bSt)(?<!\bMrs)(?<!\bVol)(?<!\bNo)(?<!\bvs)"""
    r"""[.!?]["'\u201d\u2019)]?(?=\s+["\u201c*]?[A-Z]|\s*\Z)|\n"""
)
_CONJUNCTION = re.compile(
    r"(?:and|or|&|und|et|y|e|und auch|and also|or even|and maybe|and perhaps)\s+", re.IGNORECASE
)
_BETWEEN_LAST = re.compile(r"\s(?P<word>and|or|&)\s(?=[\"'\u201c\u2018*_(]?[A-Z0-9\u00c0-\u00de])")
_CLAUSE = re.compile(
    r",?\s(?:if|because|since|which|as|when|while|given|based"
    r"|for (?:its|their|a|an|the|some|something|fans)"
    r"|to (?:start|begin)|next|too|as well)(?=\s|$).*$"
)
_CONTINUES = re.compile(r"(?:the|a|an|but|in|of)\s.*?[A-Z]")
_TWICE = ("**", "__", "*", "_", '"')  # marks that open and close alike
_OPENING = "\"'\u201c\u201e\u2018\u00ab\u2039\u300a\u300c\u300e(*_"


_COMMAS = frozenset(",\u3001")
_SEPARATORS = (
    (";", 2),
    (" | ", 2),
    ("\u3001", 2),
    (",", _FEWEST_ON_A_LINE),
    (" / ", _FEWEST_ON_A_LINE),
)
_SMALL = frozenset(
    ("a", "an", "and", "as", "at", "by", "de", "for", "from", "in", "is", "la", "le")
    + ("of", "on", "or", "the", "to", "vs", "with")
)


class Piece(NamedTuple):
    """One entry of a line, and what parted it from the one before."""

    text: str
    parted_by: str = ", "


def parted_titles(text: str) -> list[Piece]:
    """Return the entries of one line.

    Separators are semicolons, bars, or commas outside brackets and quotation marks.
    """
    lead = _LEAD.match(text.strip())
    body = text.strip()[lead.end() :] if lead else text.strip()
    quoted = quoted_titles(body)
    if len(quoted) > _FEWEST_ON_A_LINE and sum(map(len, quoted)) * 3 > len(body):
        return [Piece(title) for title in quoted]
    for mark, fewest in _SEPARATORS:
        pieces = _pieces(body, mark)
        if len(pieces) > fewest or (mark in _COMMAS and _are_names(pieces)):
            return pieces
    return []


def _are_names(pieces: Sequence[Piece]) -> bool:
    """Return True for three pieces or more that begin as titles do.

    Where the third is there only because the last one was parted at its "and", each must be written
    as a title from its first word to its last.
    """
    if len(pieces) < _FEWEST_NAMES:
        return False
    if SAYS.match(pieces[0].text):
        return False
    by_commas = sum(piece.parted_by == ", " for piece in pieces) >= _FEWEST_NAMES
    fits = _begins_a_title if by_commas else _is_written_as_title
    return all(fits(piece.text) for piece in pieces)


def _is_written_as_title(piece: str) -> bool:
    words = [word for word in piece.split() if word[0].isalpha()]
    return _begins_a_title(piece) and not any(
        word[0].islower() and word not in _SMALL for word in words
    )


def quoted_titles(text: str) -> list[str]:
    """Return what is in quotation marks, title brackets or bold in running text."""
    quoted = (next(filter(None, match.groups()), "") for match in _QUOTED.finditer(text))
    return [title.strip().rstrip(",.") for title in quoted if title.strip()]


def bracketed_titles(text: str) -> list[str]:
    """Return what is in brackets that only titles have."""
    return [(match[1] or match[2]).strip() for match in _TITLE_BRACKETS.finditer(text)]


def recommended_in_sentences(text: str) -> list[Piece]:
    """Return the titles that sentences recommend: "You might enjoy Alien, Heat or Dune!".

    Only what begins as a title does, right behind the words that recommend, is taken.
    """
    pieces: list[Piece] = []
    at = 0
    while (lead := _RECOMMENDS.search(text, at)) is not None:
        end = _SENTENCE_END.search(text, lead.end())
        at = end.end() if end else len(text)
        if end is None or lead["asking"] or "?" not in end[0]:
            pieces += _named_in(text[lead.end() : end.start() if end else len(text)])
    return pieces


def _named_in(sentence: str) -> list[Piece]:
    """Return the titles a sentence lists; none where its first piece is no title."""
    pieces = _last_split([part for part in _outside_brackets(sentence, ",") if part.strip()])
    titles: list[Piece] = []
    for place, (text, parted_by) in enumerate(pieces):
        title = _CLAUSE.sub("", text).strip()
        if title and _is_name(title):
            titles.append(Piece(title, parted_by))
        elif place == 0:
            return []
        elif titles and place < len(pieces) - 1 and _CONTINUES.match(title):
            titles[-1] = Piece(f"{titles[-1].text}, {title}", titles[-1].parted_by)
    return titles


def _is_name(title: str) -> bool:
    first = title[0]
    begins = first in _OPENING or first.isdigit() or (first.isalpha() and not first.islower())
    return begins and len(title.split()) <= _MOST_WORDS


def _begins_a_title(piece: str) -> bool:
    return piece[0] in _OPENING or (not piece[0].islower() and not piece.endswith((".", "?", "!")))


def _pieces(text: str, mark: str) -> list[Piece]:
    """Return the pieces between separators, the last one without full stop and conjunction."""
    pieces = [piece.strip() for piece in _outside_brackets(text, mark) if piece.strip()]
    if not pieces:
        return []
    if not pieces[-1].endswith(".."):
        pieces[-1] = pieces[-1].removesuffix(".").removesuffix("\u3002")
    if mark == ",":
        return _last_split(pieces)
    conjunction = _CONJUNCTION.match(pieces[-1])
    if conjunction:
        pieces[-1] = pieces[-1][conjunction.end() :]
    return [Piece(piece) for piece in pieces if piece]


def _last_split(pieces: Sequence[str]) -> list[Piece]:
    """Return pieces parted by commas, the last one with a conjunction parted at it.

    "A, B and C" ends in two titles; in "A, B, and C and D" the last title is "C and D".
    """
    bare = [piece.strip() for piece in pieces]
    for place in range(len(bare) - 1, -1, -1):
        parts = _at_conjunction(bare[place], is_first=place == 0)
        if parts is not None:
            return [*map(Piece, bare[:place]), *parts, *map(Piece, bare[place + 1 :])]
    return [Piece(piece) for piece in bare]


def _at_conjunction(piece: str, *, is_first: bool) -> list[Piece] | None:
    """Return a piece split at its conjunctions, or without a leading one; None without any."""
    leading = None if is_first else _CONJUNCTION.match(piece)
    if leading:
        return [Piece(piece[leading.end() :])]
    parts: list[Piece] = []
    at, parted_by = 0, ", "
    for between in _BETWEEN_LAST.finditer(piece):
        parts.append(Piece(piece[at : between.start()], parted_by))
        at, parted_by = between.end(), f" {between['word']} "
    return [*parts, Piece(piece[at:], parted_by)] if parts else None


def _outside_brackets(text: str, mark: str) -> list[str]:
    """Return the pieces of a text between separators, outside brackets and quotations."""
    pieces: list[str] = []
    held = ""
    for piece in text.split(mark):
        held = f"{held}{mark}{piece}" if held else piece
        if not _is_open(held) or len(held) > _LONGEST_HELD:
            pieces.append(held)
            held = ""
    return [*pieces, held] if held else pieces


def _is_open(held: str) -> bool:
    pairs = ("()", "[]", "\u201c\u201d", "\u300a\u300b", "\u00ab\u00bb")
    bare = held.lstrip()
    mark = next((mark for mark in _TWICE if bare.startswith(mark)), None)
    if mark is not None and held.count(mark) % 2:
        return True
    return any(held.count(pair[0]) > held.count(pair[1]) for pair in pairs)
