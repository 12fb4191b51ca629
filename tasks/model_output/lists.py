"""Titles in lists with marks: tables, numbered lists, bullets, lines; and the talk around them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.model_output.numbered_lists import is_numbered, numbered_entries

RULE = re.compile(r"[\s|:+=-]+")


def markdown_rows(lines: Sequence[str]) -> list[list[str]]:
    """Return the cells of each row with the head, without rules; [] for fewer than two rows."""
    rows = [_cells(line) for line in lines if line.count("|") > 1 and not RULE.fullmatch(line)]
    return rows if len(rows) > 1 else []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


HEADS = ("title", "movie", "film", "name", "book", "item", "product", "recommendation")
_BULLET = re.compile(
    r"\s*+(?:[-*\u2022\u2013\u2014+\u00b7\u25cf\u25aa\u25e6\u2023\u27a4\u2192\u25b6\u25b8\u2713"
    r"\u2714\u2605]|\\-|\\item)\s+(?P<title>\S.*)$"
)
_TALK = re.compile(
    r"\W*+(?:here(?:['’]s| are| is)|sure|certainly|of course|absolutely|great|okay|ok|based on"
    r"|given|happy|without more|with your"
    r"|i (?:hope|think|would|recommend|am|can|cannot|apologi[sz]e|don['’]t|do not)|i['’](?:d|m|ve)"
    r"|let (?:me|us)|enjoy|feel free"
    r"|please|note|hope|as an? |sorry|unfortunately|these|those|this list|thank|thanks"
    r"|you m(?:ight|ay)|would you|if you"
    r"|(?:my |final )?recommendations|final answer)\b",
    re.IGNORECASE,
)
_TALK_BARE = re.compile(r"\W*+here (?:are|is) (?:my|some|the|your|a few|\d+)\b", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\W*+(?:unfortunately|(?:i['’]?m|i am|we are) (?:\w+ )?(?:sorry|afraid|unable)|sorry"
    r"|(?:i|we) apologi[sz]e"
    r"|i (?:cannot|can['’]?t|do not|don['’]t)|as an? (?:\w+[ -]){0,3}(?:ai|model|assistant)\b)",
    re.IGNORECASE,
)
SAYS = re.compile(  # a sentence that lists something else
    r"(?:it|i|he|she|they|we|you|this|that|there)\b[^,]{0,40}"
    r"\b(?:is|was|are|were|has|have|had|will|would|can|do|did)\b",
    re.IGNORECASE,
)
_SENTENCE = 6  # words from which a line may be a sentence
_LONGEST = 25  # words of a line that can be an entry
_LEAD_IN = re.compile(r"(?P<lead>[^:\uff1a\n]{2,200}[:\uff1a])\s*+(?P<rest>[^\s/].*)$", re.DOTALL)
_LEAD_WORDS = re.compile(
    r"\b(?:recommend\w*|movies|films|books|titles|suggest\w*|items|products|list|picks|options"
    r"|choices|favou?rites)\b|\u63a8\u8350|\u63a8\u85a6|\u304a\u3059\u3059\u3081",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"(?<=[^\W\d])[.!:,\uff01\uff1a]?\s+(?=\(?1[.)]\s{0,4}\S)"
    r"|(?<=[.!:\uff01\uff1a])\s{0,8}(?=\(?1[.)]\s{0,4}\S)"
)
_NEXT_SENTENCE = re.compile(r"[^\W\d_]{3}(?:[!?]|(?<!Mrs)(?<!Vol)\.)\s+[A-Z][a-z']*\s[a-z]")
_SENTENCE_MARKS = ("\u3002", "\uff01", "\uff1f")


def table_titles(lines: Sequence[str]) -> list[str]:
    """Return the titles in a Markdown table.

    They are in the column whose head says so, else in the first column with words.
    """
    rows = markdown_rows(lines)
    if not rows:
        return []
    named = _named_column(rows[0])
    body = rows if named is None else rows[1:]
    column = _first_with_words(body[-1]) if named is None else named
    return [row[column] for row in body if len(row) > column and row[column]]


def _named_column(head: Sequence[str]) -> int | None:
    for place, cell in enumerate(head):
        if any(word in cell.lower() for word in HEADS):
            return place
    return None


def _first_with_words(row: Sequence[str]) -> int:
    for place, cell in enumerate(row):
        bare = cell.strip("*_#. ")
        if bare and not bare.isdigit():
            return place
    return 0


def numbered_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a numbered list, or the bullets in it where numbers head groups."""
    entries = numbered_entries(lines)
    heads = [title for title in entries if _is_group_head(title)]
    bullets = [title for _, title in _bullets(lines)]
    grouped = entries and len(heads) * 2 > len(entries) and len(bullets) >= len(entries)
    return bullets if grouped else entries


def _is_group_head(title: str) -> bool:
    return title.rstrip("*_ ").endswith(":")


def _bullets(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return the depth (spaces of indentation) and the title of each bullet."""
    bullets: list[tuple[int, str]] = []
    for line in lines:
        match = _BULLET.match(line)
        if match:
            bullets.append((len(line) - len(line.lstrip()), match["title"]))
    return bullets


def bullet_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a bulleted list, of a nested one the outermost.

    Where the outermost head groups, all entries are returned.
    """
    bullets = _bullets(lines)
    least = min((depth for depth, _ in bullets), default=0)
    outermost = [title for depth, title in bullets if depth == least]
    grouped = len(outermost) < 2 or any(map(_is_group_head, outermost))
    return [title for _, title in bullets] if grouped else outermost


def line_titles(lines: Sequence[str]) -> list[str]:
    """Return the lines that may be titles: no heading, no sentence."""
    return [line.strip() for line in lines if not _is_talk(line)]


def without_lead_in(lines: Sequence[str]) -> list[str]:
    """Return lines with the introduction of a list on a line of its own.

    That is: an announcement before a colon, and text before the number 1 where the next line is
    numbered 2.
    """
    parted: list[str] = []
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        parted += _parted_at_one(line, following) or _parted_at_colon(line, following) or [line]
    return parted


def is_refusal(text: str) -> bool:
    """Return True for a refusal, such as "I'm sorry, but I cannot."; not for a title.

    "Sorry We Missed You" is a title.
    """
    line = text.rstrip()
    if _REFUSAL.match(line) is None or line.endswith(":"):
        return False
    return line[-1] in ".!?" or len(line.split()) > _SENTENCE


def is_prose(line: str) -> bool:
    """Return True for running text: too long for a title, or a sentence around a list."""
    return bool(line.strip()) and (_is_talk(line) or _is_sentence(line))


def _parted_at_one(line: str, following: str) -> list[str]:
    if not is_numbered(following, 2) or is_numbered(line, 1):
        return []
    first = _FIRST.search(line)
    return [line[: first.end()], line[first.end() :]] if first else []


def _parted_at_colon(line: str, following: str) -> list[str]:
    match = _LEAD_IN.match(line)
    if match is None or _BULLET.match(line):
        return []
    lead, rest = match["lead"], match["rest"]
    if _BULLET.match(rest):
        is_lead = _BULLET.match(following) is not None
    else:
        is_lead = not rest[0].islower() and _announces_a_list(lead)
    return [lead, rest] if is_lead else []


def _announces_a_list(lead: str) -> bool:
    """Return True for an announcement; in ASCII it has three words or more, half of them small."""
    if not _TALK.match(lead) and not _LEAD_WORDS.search(lead):
        return False
    words, small = _words(lead)
    return not lead.isascii() or (words >= 3 and small * 2 >= words)


def _words(text: str) -> tuple[int, int]:
    """Return how many words a text has, and how many of them begin with a small letter."""
    words = [word for word in text.split() if word[0].isalpha()]
    return len(words), sum(word[0].islower() for word in words)


def _is_sentence(line: str) -> bool:
    """Return True for a sentence: it ends as one, and of its many words most begin small."""
    bare = line.rstrip('*_"\u201d\u300d\u300f ')
    if bare.endswith(_SENTENCE_MARKS):
        return True
    if bare.endswith((".", "?", "!")) and _NEXT_SENTENCE.search(bare):
        return True
    words, small = _words(line)
    return bare.endswith((".", "?", "!")) and words >= _SENTENCE and small * 2 > words


def _is_talk(line: str) -> bool:
    """Return True for a line around a list: blank, a heading, a rule, a sentence or a phrase."""
    bare = line.strip().strip("*_").strip()
    if not bare or _is_heading(bare) or _is_sentence(bare) or _TALK_BARE.match(bare):
        return True
    if bare.endswith(".") and SAYS.match(bare):
        return True
    is_phrase = bare.endswith((".", "!", "?", "\u2026")) and _TALK.match(bare) is not None
    return is_phrase or len(bare.split()) > _LONGEST


def _is_heading(line: str) -> bool:
    """Return True for a heading, a rule or a code fence."""
    if line.endswith((":", "\uff1a")) or line.startswith(("#", "---", "===", "```", "~~~")):
        return True
    return RULE.fullmatch(line) is not None
