"""Numbered lists in any style, told apart from titles that begin with a number."""

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
      |\s{{0,4}}\\?[.)\]:\uff09\uff1a]
        (?:[-\u2013\u2014]?\s++|(?(strong)[*_]{{2}}|(?!))\s*+|(?=[^\W\d]|[{_OPENING}]))
      |\s{{1,4}}[-\u2013\u2014>|]\s++
      |[/|]\s++
      |(?(strong)[*_]{{2}}|(?!))\s*+(?:[-\u2013\u2014:.)]\s++)?
      |(?(named)\s++|(?!)))
    (?P<title>\S.*)$""",
    re.VERBOSE,
)
_TIGHT = re.compile(r"\s*+(?P<number>\d{1,3})[.)](?P<title>\d.*)$")  # "1.1917", the film at rank 1
_INLINE = re.compile(
    r"(?:(?<=[\s;,\u3001\u3002\uff0c\uff1b\u300b\u300d\u300f])|^)[(\[]?(?P<number>\d{1,3})"
    rf"(?:[.)\]\uff09]\s+|[.)\]\u3001\uff0e\uff09](?=[{_OPENING}]))",
)
_CIRCLED = {chr(0x2460 + place): str(place + 1) for place in range(20)}
_CHINESE = {
    sign: str(place)
    for place, sign in enumerate("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341", 1)
}
_OTHER_DIGITS = re.compile(
    rf"(?m)^(?P<space>[^\S\n]{{0,16}})(?:(?P<circled>[{''.join(_CIRCLED)}])\s{{0,4}}"
    rf"|(?P<chinese>[{''.join(_CHINESE)}])\u3001"
    r"|(?P<wide>[\uff10-\uff19\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]{1,3})"
    r"(?=[.)\uff0e\u3001\uff09:]))"
)
_TEN = "\U0001f51f"  # the key that reads 10
_KEYCAPS = re.compile(
    rf"(?m)^[^\S\n]{{0,16}}(?:(?:[0-9]\ufe0f?\u20e3){{1,3}}|{_TEN})[^\S\n]{{0,16}}"
)


class _Numbered(NamedTuple):
    """One entry; `is_tight` is True where nothing separates its number from the title's own."""

    number: int
    title: str
    is_tight: bool


def numbered_entries(lines: Sequence[str]) -> list[str]:
    """Return the entries of consecutively numbered lines; other numbers belong to titles.

    A number right before another one ("1.1917") counts where a second line is numbered too, and it
    is the very next number.
    """
    entries: list[_Numbered] = []
    last = 0
    for line in lines:
        entry = _numbered_entry(line, last)
        if entry is not None:
            last = entry.number
            entries.append(entry)
    if len(entries) < 2:
        entries = [entry for entry in entries if not entry.is_tight]
    return [entry.title for entry in entries]


def _numbered_entry(line: str, last: int) -> _Numbered | None:
    """Return the entry of a line that counts on from the number `last`, or None."""
    match = _NUMBERED.match(line)
    if match is not None:
        number = int(match["number"])
        return _Numbered(number, _title(match), False) if _is_in_turn(number, last) else None
    tight = _TIGHT.match(line)
    if tight is None or int(tight["number"]) != last + 1:
        return None
    return _Numbered(last + 1, tight["title"], True)


def inline_entries(text: str) -> list[str]:
    """Return the entries of a list whose numbers are inside a line."""
    starts: list[tuple[int, int]] = []
    for match in _INLINE.finditer(text):
        if int(match["number"]) == len(starts) + 1:
            starts.append((match.start(), match.end()))
    if len(starts) < _FEWEST_INLINE:
        return []
    ends = [start for start, _ in starts[1:]] + [len(text)]
    pieces = zip(starts, ends, strict=True)
    return [text[begin:end].strip(" \t,;\u3001\uff0c\uff1b\u3002") for (_, begin), end in pieces]


def plain_numbers(text: str) -> str:
    """Return text with list numbers as digits: keycaps, circled numbers and other scripts."""
    text = _KEYCAPS.sub(_keys_as_digits, text)
    return _OTHER_DIGITS.sub(_as_digits, text)


def is_numbered(line: str, number: int) -> bool:
    """Return True if a line is numbered so."""
    match = _NUMBERED.match(line) or _TIGHT.match(line)
    return match is not None and int(match["number"]) == number


def _is_in_turn(number: int, last: int) -> bool:
    return number == 1 or last < number <= last + MOST_SKIPPED


def _title(match: re.Match[str]) -> str:
    """Return the title of a numbered line, with the mark before the number if it closes later."""
    strong, title = match["strong"], match["title"]
    closes_later = strong and title.count(strong) % 2
    return f"{strong}{title}" if closes_later else str(title)


def _keys_as_digits(match: re.Match[str]) -> str:
    return "".join(filter(str.isdigit, match[0].replace(_TEN, "10"))) + ". "


def _as_digits(match: re.Match[str]) -> str:
    if match["circled"]:
        return f"{match['space']}{_CIRCLED[match['circled']]}. "
    if match["chinese"]:
        return f"{match['space']}{_CHINESE[match['chinese']]}. "
    return match["space"] + "".join(str(unicodedata.digit(digit)) for digit in match["wide"])


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
        titles: list[str] = []
        for line in lines:
            match = pattern.match(line)
            due = in_turn[len(titles) : len(titles) + 1]
            if match and [match["count"].lower()] == due:
                titles.append(match["title"])
        if len(titles) >= _FEWEST and len(titles) * 2 > len(lines):
            return titles
    return []


def comma_rows(lines: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Return the column of comma-separated rows whose head has one of some names."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        return []
    names = [cell.strip("*_ ").lower() for cell in rows[0]]
    columns = [place for place, name in enumerate(names) if name in heads]
    if not columns:
        return []
    cells = [row[columns[0]] for row in rows[1:] if len(row) > columns[0]]
    return [cell for cell in cells if cell]
