"""Numbers after a title that name another work: "Alien 3", "Dune: Part Two", "Solaris (2002)".

A number after a title may also count something: "I saw Alien 3 times", "Alien 2 weeks ago",
"I give Alien 8." So digits (and a lone V or X) are a sequel's only if the sentence ends after them
or continues with a word that cannot be counted; in doubt it is no sequel. Roman numbers of several
letters, marked parts ("Part Two") and years in brackets are always a sequel's.
"""

from __future__ import annotations

import re

from tasks.titles.keys import COUNTED, ROMAN, value_of, without_year, work_key, year_of

YEARS_APART = 2  # most between the years that two sources give for one work
_YEARS = range(1880, 2040)  # a bare number that is a year ("Alien 1979"), unlike 2049
_HIGHEST_GRADE = 100
_SEVERAL_LETTERS = [roman for roman in ROMAN if len(roman) > 1]
_ONLY_ROMAN = "|".join((*_SEVERAL_LETTERS, *(roman.upper() for roman in _SEVERAL_LETTERS)))
# "Alien Two" is a title, "Alien two days ago" is none.
_CAPITALISED = "|".join((*(word.title() for word in COUNTED), *(word.upper() for word in COUNTED)))
_NUMERAL = rf"\d{{1,3}}|[IVXivx]{{1,5}}|(?i:{'|'.join(COUNTED)})"
_NUMBER_FOLLOWS = re.compile(
    rf"[\W_]{{1,5}}(?:\d|(?:[ivx]{{1,5}}|{'|'.join(COUNTED)})(?![^\W_])|"
    r"(?:part|pt|vol|volume|chapter|book|season|series|episode|no)(?![a-z]))",
    re.IGNORECASE,
)
_YEAR = re.compile(r'"{0,2}\s*[(\[](?P<year>(?:1[89]|20)\d\d)[)\]]')
_PART = re.compile(
    r'"{0,2}(?:\s*[,:|(\[-])?\s*(?P<mark>(?i:part|pt\.?|vol\.?|volume)|[Cc]hapter|CHAPTER|[Bb]ook|BOOK'
    r"|[Ss]eason|[Ss]eries|[Ee]pisode|[Nn]o\.?)\s*"
    rf"(?P<number>{_NUMERAL})(?!\w)(?! of\b)"
)
_BARE = re.compile(
    rf'"{{0,2}}(?:\s+|-)(?P<number>\d{{1,4}}|[VX]|{_ONLY_ROMAN}|{_CAPITALISED})(?![^\W_])'
)
_LISTED = re.compile(
    r"(?:\s*,|\s+(?:or|to|and|for)|\s*-)\s*(?:or\s+)?(?:maybe\s+|perhaps\s+|even\s+)?(?P<number>\d{1,3})(?![^\W_])"
)
_PART_OF_NUMBER = re.compile(r"\s*[/%\u00b0]|[.,:]\d|-[^\W_]")
_COUNT_GOES_ON = re.compile(
    r"\s+(?:in a row|at a time|and a half|and counting|(?:or|and) (?:so|more|less|two|three|four"
    r"|five|six|seven|eight|nine|ten)|to one)\b"
)
_GRADE = re.compile(
    r"\b(?:give|gives|gave|given|giving|rat(?:e|es|ed|ing)|scor\w+|grad\w+)\b[^.!?]*\Z", re.I
)
_POSSESSIVE = re.compile(r"""["']s\b""")
_NEXT_WORD = re.compile(r"""\s+([^\W\d_]+(?:["'][^\W\d_]+)?)""")
_RANK = re.compile(r'[.)]\s+["\x01A-Z]')


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GOES_ON = _words(
    "is was are were be been has had have does do did can could will would should might may must "
    "and but or nor yet so if because since as than that which who whose where when while whenever "
    "though although unless until in on at by with without for from about after before over under "
    "into onto to during through despite instead again too also either really just only never "
    "always still even already actually definitely truly simply now today tonight yesterday "
    "tomorrow last this next here there please thanks then once twice "
    "made makes felt feels looked looks seemed seems sounded sounds turned turns kept keeps left "
    "leaves took takes gave gives got gets came comes went goes lost loses broke breaks started "
    "starts ended ends delivered delivers told tells showed shows proved proves remained remains "
    "stayed stays became becomes deserved deserves needed needs lacked lacks dragged drags bored "
    "bores hooked hit hits won wins worked works fell falls blew ran runs "
    "starring directed i he she it we they movie film better worse"
)
_CONTINUATIONS = _words(
    "two three four five six seven eight nine ten ii iii iv "
    "returns returned again begins continues continued forever "
    "reloaded reborn rises resurrection revenge strikes sequel"
)


_CLEAR_MARKS = frozenset({"part", "pt", "vol", "volume"})
_CLEAR_CAPITALS = frozenset({"Chapter", "CHAPTER", "Book", "BOOK"})


def names_sequel(text: str, end: int, title: str) -> bool:
    """Return True if the text after a title makes it the name of another work.

    Args:
        text: an utterance in its letter case, its marks unified or not.
        end: where the title ends in it.
        title: the whole title, of which the text may have the main title only; a number or year
            that it has itself makes no other work.
    """
    if not number_follows(text, end):
        return False
    if year := _YEAR.match(text, end):
        return _is_other_year(int(year["year"]), title)
    if part := _PART.match(text, end):
        return _is_other_part(part, title)
    bare = _BARE.match(text, end)
    return bare is not None and _is_other_number(bare, text, title)


def year_end(text: str, end: int) -> int | None:
    """Return where a year in brackets ends that follows a title; None if none follows.

    Args:
        text: an utterance, its marks unified or not.
        end: where the title ends in it.
    """
    year = _YEAR.match(text, end)
    return year.end() if year else None


def number_follows(text: str, end: int) -> bool:
    """Return True if a number, a marked part or a year may follow: a fast test."""
    return _NUMBER_FOLLOWS.match(text, end) is not None


def numbers_differ(mentioned: str, title: str) -> bool:
    """Return True if a mentioned title has a number or a year in brackets that the other has not.

    A number that only the other title has makes no difference: people say main titles alone.
    """
    year = year_of(mentioned)
    if year is not None and _is_other_year(year, title):
        return True
    numbers, own = _numbers(mentioned), _numbers(title)
    return not numbers <= own and not (numbers == {1} and not own)


def _is_other_year(year: int, title: str) -> bool:
    own = year_of(title)
    return own is not None and abs(year - own) > YEARS_APART


def adds_sequel(mentioned: str, known: str) -> bool:
    """Return True if one of two work keys is the other and a sequel's word, as in "... returns"."""
    longer, shorter = sorted((mentioned, known), key=len, reverse=True)
    added = longer[len(shorter) :] if longer.startswith(f"{shorter} ") else ""
    return not _CONTINUATIONS.isdisjoint(added.split())


def _numbers(title: str) -> set[int]:
    return {int(word) for word in work_key(without_year(title)).split() if word.isdecimal()}


def _is_other_part(part: re.Match[str], title: str) -> bool:
    mark = part["mark"].rstrip(".")
    try:
        number = value_of(part["number"])
    # Not a number, as in "book vx".
    except ValueError:
        return False
    own = _numbers(title)
    if number in own or (number == 1 and not own):
        return False
    if mark.casefold() in _CLEAR_MARKS or mark in _CLEAR_CAPITALS:
        return True
    return re.search(rf"\b{re.escape(mark)}\b", title, re.IGNORECASE) is not None


def _is_other_number(bare: re.Match[str], text: str, title: str) -> bool:
    written = bare["number"]
    try:
        number = value_of(written)
    except ValueError:
        return False
    if number < 2 or number in _numbers(title):
        return False
    if written.casefold() in _SEVERAL_LETTERS:
        return True
    if number in _YEARS:
        return _is_other_year(number, title) and not _counts(text, bare.end())
    return not (
        _counts(text, bare.end())
        or _is_grade(text, bare.start(), number)
        or _is_rank(text, bare.start(), bare.end(), number)
    )


def _counts(text: str, end: int) -> bool:
    """Return True if a number that ends here may count something or be part of a number."""
    if _PART_OF_NUMBER.match(text, end) or _COUNT_GOES_ON.match(text, end):
        return True
    if _POSSESSIVE.match(text, end):
        return False
    if listed := _LISTED.match(text, end):
        return _counts(text, listed.end())
    # A closing mark, or an unmatched one: a star as in "5*".
    if text[end : end + 1] == '"':
        return text.count('"', 0, end) % 2 == 0
    match = _NEXT_WORD.match(text, end)
    if match is None:
        return False
    word = match[1].casefold()
    return word not in _GOES_ON and not word.endswith(('n"t', "n't"))


def _is_grade(text: str, start: int, number: int) -> bool:
    return number <= _HIGHEST_GRADE and _GRADE.search(text, 0, start) is not None


def _is_rank(text: str, start: int, end: int, number: int) -> bool:
    """Return True if the number begins the next entry of a list: "1. Aliens 2. Alien 3. Heat"."""
    if not _RANK.match(text, end):
        return False
    before = re.search(rf"(?<!\d){number - 1}[.)]\s", text[:start])
    return before is not None or re.search(rf"\s{number + 1}[.)]\s", text[end:]) is not None
