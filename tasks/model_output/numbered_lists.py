"""Numbered lists: which lines are numbered, in whatever style, and the lines that are titles beginning with a number."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

MOST_SKIPPED = 3  # how far a list's numbers may jump
_FEWEST_INLINE = 3  # numbers that make a list of one line
_OPENING = "\"'\u201c\u201e\u00ab\u2039\u2018\u300a\u3008\u300c\u300e\u3010*_\u00a1\u00bf(\\[\\#"
# A number is numbering only with a mark and a space behind it, so that "12 Angry Men", "300" and
# "3:10 to Yuma" stay whole; without the space only where a word or an opening mark follows. It must
# also come in turn.
_NUMBERED = re.compile(
    rf"""\s*+(?:>\s*+)?(?:[-*\u2022+]\s++)?(?:\#{{1,6}}\s++)?(?P<strong>[*_]{{2}})?
    (?P<named>\#|No\.?\s?|Nr\.?\s?|\u7b2c)?[(\[\uff08]?(?P<number>\d{{1,3}})
    (?:(?:[\u3001\uff0e\u4f4d]|[\u00ba\u00aa]\.?)\s*+
      |\s{{0,4}}\\?[.)\]:\uff09\uff1a](?:[-\u2013\u2014]?\s++|(?(strong)[*_]{{2}}|(?!))\s*+|(?=[^\W\d]|[{_OPENING}]))
      |\s{{1,4}}[-\u2013\u2014>|]\s++
      |[/|]\s++
      |(?(strong)[*_]{{2}}|(?!))\s*+(?:[-\u2013\u2014:.)]\s++)?
      |(?(named)\s++|(?!)))
    (?P<title>\S.*)$""",
    re.VERBOSE,
)
_TIGHT = re.compile(r"\s*+(?P<number>\d{1,3})[.)](?P<title>\d.*)$")  # "1.1917", the film at rank 1
_INLINE = re.compile(
    rf"(?:(?<=[\s;,\u3001\u3002\uff0c\uff1b\u300b\u300d\u300f])|^)[(\[]?(?P<number>\d{{1,3}})(?:[.)\]\uff09]\s+|[.)\]\u3001\uff0e\uff09](?=[{_OPENING}]))",
)
_CIRCLED = {chr(0x2460 + place): str(place + 1) for place in range(20)}
_CHINESE = {
    sign: str(place)
    for place, sign in enumerate("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341", 1)
}
_OTHER_DIGITS = re.compile(
    rf"(?m)^(?P<space>[^\S\n]{{0,16}})(?:(?P<circled>[{''.join(_CIRCLED)}])\s{{0,4}}"
    rf"|(?P<chinese>[{''.join(_CHINESE)}])\u3001|(?P<wide>[\uff10-\uff19\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]{{1,3}})(?=[.)\uff0e\u3001\uff09:]))"
)
_TEN = "\U0001f51f"  # the key that reads 10
_KEYCAPS = re.compile(
    rf"(?m)^[^\S\n]{{0,16}}(?:(?:[0-9]\ufe0f?\u20e3){{1,3}}|{_TEN})[^\S\n]{{0,16}}"
)


class _Numbered(NamedTuple):
    title: str
    is_tight: bool


def numbered_entries(lines: Sequence[str]) -> list[str]:
    """Return the entries of the lines that go on counting; a line with a number out of turn is a title.

    A number right before another one ("1.1917") counts where a second line is numbered too, and it
    is the very next number.
    """
    found: list[_Numbered] = []
    last = 0
    for line in lines:
        match = _NUMBERED.match(line)
        if match and _is_in_turn(int(match["number"]), last):
            last = int(match["number"])
            found.append(_Numbered(_title(match), is_tight=False))
        elif match is None and (tight := _TIGHT.match(line)) and int(tight["number"]) == last + 1:
            last += 1
            found.append(_Numbered(tight["title"], is_tight=True))
    if len(found) < 2:
        found = [entry for entry in found if not entry.is_tight]
    return [entry.title for entry in found]


def inline_entries(text: str) -> list[str]:
    """Return the entries of a list whose numbers are inside a line."""
    starts: list[tuple[int, int]] = []
    for found in _INLINE.finditer(text):
        if int(found["number"]) == len(starts) + 1:
            starts.append((found.start(), found.end()))
    if len(starts) < _FEWEST_INLINE:
        return []
    ends = [start for start, _ in starts[1:]] + [len(text)]
    pieces = zip(starts, ends, strict=True)
    return [text[begin:end].strip(" \t,;\u3001\uff0c\uff1b\u3002") for (_, begin), end in pieces]


def plain_numbers(text: str) -> str:
    """Return text with numbers of lists that are drawn as keys, circled or of another script in digits."""
    text = _KEYCAPS.sub(_keys_as_digits, text)
    return _OTHER_DIGITS.sub(_as_digits, text)


def is_numbered(line: str, number: int) -> bool:
    """Return True if a line is numbered so."""
    found = _NUMBERED.match(line) or _TIGHT.match(line)
    return found is not None and int(found["number"]) == number


def _is_in_turn(number: int, last: int) -> bool:
    return number == 1 or last < number <= last + MOST_SKIPPED


def _title(match: re.Match[str]) -> str:
    """Return the title of a numbered line; a mark before the number that ends behind the title is the title's."""
    strong = match["strong"] or ""
    return (
        strong + match["title"] if strong and match["title"].count(strong) % 2 else match["title"]
    )


def _keys_as_digits(found: re.Match[str]) -> str:
    return "".join(filter(str.isdigit, found[0].replace(_TEN, "10"))) + ". "


def _as_digits(found: re.Match[str]) -> str:
    if found["circled"]:
        return f"{found['space']}{_CIRCLED[found['circled']]}. "
    if found["chinese"]:
        return f"{found['space']}{_CHINESE[found['chinese']]}. "
    return found["space"] + "".join(str(unicodedata.digit(digit)) for digit in found["wide"])


_MARKS = (
    (
        "a b c d e f g h i j k l m n o p q r s t u v w x y z",
        re.compile(r"^\s*\(?(?P<count>[a-zA-Z])[.)]\s+(?P<title>\S.*)$"),
    ),
    (
        "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx",
        re.compile(r"^\s*\(?(?P<count>[ivxIVX]{1,5})[.)]\s+(?P<title>\S.*)$"),
    ),
    (" ".join(map(str, range(1, 201))), re.compile(r"^\s*(?P<count>\d{1,3})\s+(?P<title>\S.*)$")),
)
_FEWEST = 3  # lines that count in turn


def counted_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a list in which most lines count on from the first, without gap."""
    for counts, pattern in _MARKS:
        in_turn = counts.split()
        found: list[str] = []
        for line in lines:
            match = pattern.match(line)
            if (
                match
                and len(found) < len(in_turn)
                and match["count"].lower() == in_turn[len(found)]
            ):
                found.append(match["title"])
        if len(found) >= _FEWEST and len(found) * 2 > len(lines):
            return found
    return []


def comma_rows(lines: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Return the column of comma-separated rows whose head bears one of some names."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        return []
    column = next(
        (place for place, cell in enumerate(rows[0]) if cell.strip("*_ ").lower() in heads), None
    )
    return (
        []
        if column is None
        else [row[column] for row in rows[1:] if len(row) > column and row[column]]
    )
