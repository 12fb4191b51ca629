"""Titles in plain text: tables, numbered lists, bullets, lines, and everything on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MOST_SKIPPED = 3  # how far a list's numbers may jump
FEWEST_ON_A_LINE = 4  # separators that make a list of one line, whatever stands between them
FEWEST_NAMES = 3  # pieces that make a list of one line where each begins as a title does
FEWEST_INLINE = 3  # numbers that make a list of one line
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
_BULLET = re.compile(r"^\s*(?:[-*•–—+·●▪◦‣➤→]|\\-|\\item)\s+(?P<title>\S.*)$")
_QUOTED = re.compile(r"""(?P<mark>\*\*|__|(?<![\w*])\*(?=\w)|["“«《])(?P<title>[^"”»》*_\n]+)(?:(?P=mark)|["”»》])""")
_RULE = re.compile(r"^[\s|:+=-]+$")
_TALK = re.compile(
    r"^\W*(?:here(?:['’]s| are| is)|sure|certainly|of course|absolutely|great|okay|ok|based on|given|happy|without more|with your"
    r"|i (?:hope|think|would|recommend|am|can|cannot|apologi[sz]e|don['’]t|do not)|i['’](?:d|m|ve)|let (?:me|us)|enjoy|feel free"
    r"|please|note|hope|as an? |sorry|unfortunately|these|those|this list|thank|thanks|you m(?:ight|ay)|would you|if you"
    r"|(?:my |final )?recommendations|final answer)\b",
    re.IGNORECASE,
)
_TALK_BARE = re.compile(r"^\W*here (?:are|is) (?:my|some|the|your|a few|\d+)\b", re.IGNORECASE)
_REFUSAL = re.compile(
    r"^\W*(?:unfortunately|(?:i['’]?m|i am|we are) (?:\w+ )?(?:sorry|afraid|unable)|sorry|(?:i|we) apologi[sz]e"
    r"|i (?:cannot|can['’]?t|do not|don['’]t)|as an? (?:\w+[ -]){0,3}(?:ai|model|assistant)\b)",
    re.IGNORECASE,
)
_SENTENCE = 6  # words from which a line may be a sentence
_LEAD = re.compile(
    r"^[^:\n]{0,160}\b(?:recommend\w*|movies|films|books|titles|suggest\w*|items|products|list|picks|are)\b[^:\n]{0,60}:\s*", re.IGNORECASE
)
HEADS = ("title", "movie", "film", "name", "book", "item", "product", "recommendation")
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
    named = next((place for place, cell in enumerate(head) if any(word in cell for word in HEADS)), None)
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
    bullets = [match["title"] for line in lines if (match := _BULLET.match(line))]
    return bullets if found and len(heads) * 2 > len(found) and len(bullets) >= len(found) else found


def inline_titles(text: str) -> list[str]:
    """Return the entries of a list whose numbers stand inside a line."""
    starts: list[tuple[int, int]] = []
    for found in _INLINE.finditer(text):
        if int(found["number"]) == len(starts) + 1:
            starts.append((found.start(), found.end()))
    if len(starts) < FEWEST_INLINE:
        return []
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [text[begin:end].strip().rstrip(",;").strip() for (_, begin), end in zip(starts, ends, strict=True)]


def bullet_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a bulleted list; of one in steps, those of the outermost, unless they head groups."""
    found = [(len(line) - len(line.lstrip()), match["title"]) for line in lines if (match := _BULLET.match(line))]
    outermost = [title for depth, title in found if depth == min(depth for depth, _ in found)]
    grouped = len(outermost) < 2 or any(title.rstrip("*_ ").endswith(":") for title in outermost)
    return [title for _, title in found] if grouped else outermost


def line_titles(lines: Sequence[str]) -> list[str]:
    """Return the lines that may be titles: no heading, no sentence."""
    return [line.strip() for line in lines if not _is_talk(line)]


def parted_titles(text: str) -> list[str]:
    """Return the entries of one line: parted by semicolons, bars, or commas outside brackets and quotation marks."""
    body = _LEAD.sub("", text.strip()).strip()
    quoted = quoted_titles(body)
    if len(quoted) > FEWEST_ON_A_LINE and sum(map(len, quoted)) * 3 > len(body):
        return quoted
    for mark, fewest in ((";", 2), (" | ", 2), (",", FEWEST_ON_A_LINE), (" / ", FEWEST_ON_A_LINE)):
        pieces = _tidied([piece.strip() for piece in _outside_brackets(body, mark) if piece.strip()])
        if len(pieces) > fewest or (mark == "," and len(pieces) >= FEWEST_NAMES and all(map(_begins_a_title, pieces))):
            return pieces
    return []


def quoted_titles(text: str) -> list[str]:
    """Return what stands in quotation marks or bold in running text."""
    return [found["title"].strip().rstrip(",.") for found in _QUOTED.finditer(text)]


def is_refusal(text: str) -> bool:
    """Tell an answer that begins by saying no, such as "I'm sorry, but I cannot."; "Sorry We Missed You" is a title."""
    line = text.rstrip()
    return _REFUSAL.match(line) is not None and not line.endswith(":") and (line[-1] in ".!?" or len(line.split()) > _SENTENCE)


def is_prose(line: str) -> bool:
    """Tell running text from a title: too long for one, or a sentence that is said around a list."""
    return bool(line.strip()) and (_is_talk(line) or _is_sentence(line))


def _begins_a_title(piece: str) -> bool:
    return piece[0] in "\"'“‘«(*_" or not piece[0].islower() and not piece.endswith((".", "?", "!"))


def _is_sentence(line: str) -> bool:
    """Tell a sentence: it ends as one, and of its many words most begin small."""
    words = [word for word in line.split() if word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    return line.rstrip('*_"” ').endswith((".", "?", "!")) and len(words) >= _SENTENCE and small * 2 > len(words)


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
    if _is_sentence(bare) or _TALK_BARE.match(bare):
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
