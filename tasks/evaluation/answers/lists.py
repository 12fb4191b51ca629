"""Titles in plain text: tables, numbered lists, bullets, lines, and everything on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MOST_SKIPPED = 3  # how far a list's numbers may jump
FEWEST_ON_A_LINE = 4  # separators that make a list of one line
# A number is numbering only with a mark and a space behind it, so that "12 Angry Men", "300" and "3:10 to Yuma" stay whole; without the
# space only where a word follows. It must also come in turn.
_NUMBERED = re.compile(
    r"""^\s*(?:>\s*)?(?:[-*•+]\s+)?(?:\#{1,6}\s+)?(?P<strong>[*_]{2})?\s*(?P<named>\#|No\.?\s?|Nr\.?\s?)?[(\[]?(?P<number>\d{1,3})
    (?:[、．]|\s*\\?[.)\]:）](?:\s+|(?(strong)[*_]{2}|(?!))\s*|(?=[^\W\d]|["'“«‘*_¡¿(\[\#]))
      |\s+[-–—]\s+
      |(?(strong)[*_]{2}|(?!))\s*(?:[-–—:.)]\s+)?
      |(?(named)\s+|(?!)))
    (?P<title>\S.*)$""",
    re.VERBOSE,
)
_INLINE = re.compile(r"(?:(?<=\s)|^)\(?(?P<number>\d{1,3})[.)]\s+")
_BULLET = re.compile(r"^\s*(?:[-*•–—+·●▪◦‣➤→]|\\-)\s+(?P<title>\S.*)$")
_QUOTED = re.compile(r"""(?P<mark>\*\*|__|(?<![\w*])\*(?=\w)|["“«《])(?P<title>[^"”»》*_\n]+)(?:(?P=mark)|["”»》])""")
_RULE = re.compile(r"^[\s|:+=-]+$")
_TALK = re.compile(
    r"^\W*(?:here(?:['’]s| are| is)|sure|certainly|of course|absolutely|great|okay|ok|based on|given|happy|without more|with your"
    r"|i (?:hope|think|would|recommend|am|can|cannot|apologi[sz]e|don['’]t|do not)|i['’](?:d|m|ve)|let (?:me|us)|enjoy|feel free"
    r"|please|note|hope|as an? |sorry|unfortunately|these|those|this list|thank|thanks|you m(?:ight|ay)|would you|if you"
    r"|(?:my |final )?recommendations|final answer)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^[^:\n]{0,160}\b(?:recommend\w*|movies|films|books|titles|suggest\w*|items|products|list|picks|are)\b[^:\n]{0,60}:\s*", re.IGNORECASE
)
_HEADERS = ("title", "movie", "film", "name", "book", "item", "product", "recommendation")
_LONGEST = 25  # words of a line that can be an entry
_LONGEST_HELD = 300  # characters a bracket may hold together


def table_titles(lines: Sequence[str]) -> list[str]:
    """Return the titles in a Markdown table: the column that is called so, else the first that holds words."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.count("|") > 1 and not _RULE.match(line)
    ]
    if len(rows) < 2:
        return []
    head = [cell.strip("*_ ").lower() for cell in rows[0]]
    named = next((place for place, cell in enumerate(head) if any(word in cell for word in _HEADERS)), None)
    body = rows if named is None else rows[1:]
    column = (
        named
        if named is not None
        else next((place for place, cell in enumerate(body[-1]) if cell.strip("*_#. ") and not cell.strip("*_#. ").isdigit()), 0)
    )
    return [row[column] for row in body if len(row) > column and row[column]]


def numbered_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a numbered list; where its numbers head groups, the bullets under them."""
    found = list(_numbered(lines))
    heads = [title for title in found if title.rstrip("*_ ").endswith(":")]
    bullets = bullet_titles(lines)
    return bullets if found and len(heads) * 2 > len(found) and len(bullets) >= len(found) else found


def inline_titles(text: str) -> list[str]:
    """Return the entries of a list whose numbers stand inside a line."""
    starts: list[tuple[int, int]] = []
    for found in _INLINE.finditer(text):
        if int(found["number"]) == len(starts) + 1:
            starts.append((found.start(), found.end()))
    if len(starts) < FEWEST_ON_A_LINE:
        return []
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [text[begin:end].strip().rstrip(",;").strip() for (_, begin), end in zip(starts, ends, strict=True)]


def bullet_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a bulleted list."""
    return [match["title"] for line in lines if (match := _BULLET.match(line))]


def line_titles(lines: Sequence[str]) -> list[str]:
    """Return the lines that may be titles: no heading, no sentence around the list."""
    return [line.strip() for line in lines if not _is_talk(line)]


def parted_titles(text: str) -> list[str]:
    """Return the entries of one line: parted by semicolons, bars, or commas outside brackets and quotation marks."""
    body = _LEAD.sub("", text.strip()).strip()
    quoted = [found["title"].strip().rstrip(",.") for found in _QUOTED.finditer(body)]
    if len(quoted) > FEWEST_ON_A_LINE and sum(map(len, quoted)) * 3 > len(body):
        return quoted
    for mark, fewest in ((";", 2), (" | ", 2), (",", FEWEST_ON_A_LINE), (" / ", FEWEST_ON_A_LINE)):
        pieces = [piece.strip() for piece in _outside_brackets(body, mark)]
        if len(pieces) > fewest:
            return _tidied([piece for piece in pieces if piece])
    return []


def _outside_brackets(text: str, mark: str) -> list[str]:
    pieces: list[str] = []
    held = ""
    for piece in text.split(mark):
        held = f"{held}{mark}{piece}" if held else piece
        if held.count("(") <= held.count(")") and held.count("[") <= held.count("]") or len(held) > _LONGEST_HELD:
            pieces.append(held)
            held = ""
    return [*pieces, held] if held else pieces


def _tidied(pieces: list[str]) -> list[str]:
    if not pieces:
        return pieces
    last = re.sub(r"^(?:and|&)\s+", "", pieces[-1])
    return [*pieces[:-1], last.removesuffix(".") if not last.endswith("..") else last]


def _is_talk(line: str) -> bool:
    bare = line.strip().strip("*_").strip()
    if not bare or bare.endswith((":", "：")) or bare.startswith(("#", "---", "===", "```")) or _RULE.match(bare):
        return True
    return len(bare.split()) > _LONGEST or (bare.endswith((".", "!", "?", "…")) and _TALK.match(bare) is not None)


def _numbered(lines: Sequence[str]) -> Iterator[str]:
    """Walk the lines that go on counting; a line with a number out of turn is a title that starts with one."""
    last = 0
    for line in lines:
        match = _NUMBERED.match(line)
        if match and (last < int(match["number"]) <= last + MOST_SKIPPED or int(match["number"]) == 1):
            last = int(match["number"])
            yield (
                (match["strong"] or "") + match["title"]
                if match["strong"] and match["title"].count(match["strong"]) % 2
                else match["title"]
            )
