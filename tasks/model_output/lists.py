"""Titles in lists with marks: tables, numbered lists, bullets, lines; and the talk around them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.model_output.numbered_lists import is_numbered, numbered_entries

RULE = re.compile(r"[\s|:+=-]+")


def markdown_rows(lines: Sequence[str]) -> list[list[str]]:
    """Return the cells of each row, the head included and rules left out; [] for fewer than two rows."""
    rows = [_cells(line) for line in lines if line.count("|") > 1 and not RULE.fullmatch(line)]
    return rows if len(rows) > 1 else []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


HEADS = ("title", "movie", "film", "name", "book", "item", "product", "recommendation")
_BULLET = re.compile(
    r"\s*+(?:[-*\u2022\u2013\u2014+\u00b7\u25cf\u25aa\u25e6\u2023\u27a4\u2192\u25b6\u25b8\u2713\u2714\u2605]|\\-|\\item)\s+(?P<title>\S.*)$"
)
_TALK = re.compile(
    r"\W*+(?:here(?:['’]s| are| is)|sure|certainly|of course|absolutely|great|okay|ok|based on|given|happy|without more|with your"
    r"|i (?:hope|think|would|recommend|am|can|cannot|apologi[sz]e|don['’]t|do not)|i['’](?:d|m|ve)|let (?:me|us)|enjoy|feel free"
    r"|please|note|hope|as an? |sorry|unfortunately|these|those|this list|thank|thanks|you m(?:ight|ay)|would you|if you"
    r"|(?:my |final )?recommendations|final answer)\b",
    re.IGNORECASE,
)
_TALK_BARE = re.compile(r"\W*+here (?:are|is) (?:my|some|the|your|a few|\d+)\b", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\W*+(?:unfortunately|(?:i['’]?m|i am|we are) (?:\w+ )?(?:sorry|afraid|unable)|sorry|(?:i|we) apologi[sz]e"
    r"|i (?:cannot|can['’]?t|do not|don['’]t)|as an? (?:\w+[ -]){0,3}(?:ai|model|assistant)\b)",
    re.IGNORECASE,
)
SAYS = re.compile(  # a sentence that lists something else
    r"(?:it|i|he|she|they|we|you|this|that|there)\b[^,]{0,40}\b(?:is|was|are|were|has|have|had|will|would|can|do|did)\b",
    re.IGNORECASE,
)
_SENTENCE = 6  # words from which a line may be a sentence
_LONGEST = 25  # words of a line that can be an entry
_LEAD_IN = re.compile(r"(?P<lead>[^:\uff1a\n]{2,200}[:\uff1a])\s*+(?P<rest>[^\s/].*)$", re.DOTALL)
_LEAD_WORDS = re.compile(
    r"\b(?:recommend\w*|movies|films|books|titles|suggest\w*|items|products|list|picks|options|choices|favou?rites)\b|\u63a8\u8350|\u63a8\u85a6|\u304a\u3059\u3059\u3081",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"(?<=[^\W\d])[.!:,\uff01\uff1a]?\s+(?=\(?1[.)]\s{0,4}\S)|(?<=[.!:\uff01\uff1a])\s{0,8}(?=\(?1[.)]\s{0,4}\S)"
)
_NEXT_SENTENCE = re.compile(r"[^\W\d_]{3}(?:[!?]|(?<!Mrs)(?<!Vol)\.)\s+[A-Z][a-z']*\s[a-z]")
_SENTENCE_MARKS = ("\u3002", "\uff01", "\uff1f")


def table_titles(lines: Sequence[str]) -> list[str]:
    """Return the titles in a Markdown table: the column that is called so, else the first that holds words."""
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
    """Return the entries of a numbered list; where its numbers head groups, the bullets under them."""
    found = numbered_entries(lines)
    heads = [title for title in found if title.rstrip("*_ ").endswith(":")]
    bullets = [match["title"] for line in lines if (match := _BULLET.match(line))]
    grouped = found and len(heads) * 2 > len(found) and len(bullets) >= len(found)
    return bullets if grouped else found


def bullet_titles(lines: Sequence[str]) -> list[str]:
    """Return the entries of a bulleted list; of one in steps, those of the outermost, unless they head groups."""
    found = [
        (len(line) - len(line.lstrip()), match["title"])
        for line in lines
        if (match := _BULLET.match(line))
    ]
    least = min((depth for depth, _ in found), default=0)
    outermost = [title for depth, title in found if depth == least]
    grouped = len(outermost) < 2 or any(title.rstrip("*_ ").endswith(":") for title in outermost)
    return [title for _, title in found] if grouped else outermost


def line_titles(lines: Sequence[str]) -> list[str]:
    """Return the lines that may be titles: no heading, no sentence."""
    return [line.strip() for line in lines if not _is_talk(line)]


def without_lead_in(lines: Sequence[str]) -> list[str]:
    """Return lines in which what leads to the list is on a line of its own.

    That is: what announces a list before a colon, and what is before the number 1 where the next
        line is numbered 2.
    """
    parted: list[str] = []
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        parted += _parted_at_one(line, following) or _parted_at_colon(line, following) or [line]
    return parted


def is_refusal(text: str) -> bool:
    """Return True for an answer that begins by saying no, such as "I'm sorry, but I cannot."; "Sorry We Missed You" is a title."""
    line = text.rstrip()
    if _REFUSAL.match(line) is None or line.endswith(":"):
        return False
    return line[-1] in ".!?" or len(line.split()) > _SENTENCE


def is_prose(line: str) -> bool:
    """Return True for running text: too long for a title, or a sentence that is said around a list."""
    return bool(line.strip()) and (_is_talk(line) or _is_sentence(line))


def _parted_at_one(line: str, following: str) -> list[str]:
    if not is_numbered(following, 2) or is_numbered(line, 1):
        return []
    first = _FIRST.search(line)
    return [line[: first.end()], line[first.end() :]] if first else []


def _parted_at_colon(line: str, following: str) -> list[str]:
    found = _LEAD_IN.match(line)
    if found is None or _BULLET.match(line):
        return []
    if _BULLET.match(found["rest"]):
        return [found["lead"], found["rest"]] if _BULLET.match(following) else []
    lead = found["lead"]
    words = [word for word in lead.split() if word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    announces = _TALK.match(lead) is not None or _LEAD_WORDS.search(lead) is not None
    if (
        not announces
        or found["rest"][0].islower()
        or (lead.isascii() and (len(words) < 3 or small * 2 < len(words)))
    ):
        return []
    return [lead, found["rest"]]


def _is_sentence(line: str) -> bool:
    """Return True for a sentence: it ends as one, and of its many words most begin small."""
    bare = line.rstrip('*_"\u201d\u300d\u300f ')
    if bare.endswith(_SENTENCE_MARKS):
        return True
    if bare.endswith((".", "?", "!")) and _NEXT_SENTENCE.search(bare):
        return True
    words = [word for word in line.split() if word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    return bare.endswith((".", "?", "!")) and len(words) >= _SENTENCE and small * 2 > len(words)


def _is_talk(line: str) -> bool:
    bare = line.strip().strip("*_").strip()
    if (
        not bare
        or bare.endswith((":", "\uff1a"))
        or bare.startswith(("#", "---", "===", "```", "~~~"))
        or RULE.fullmatch(bare)
    ):
        return True
    if _is_sentence(bare) or _TALK_BARE.match(bare) or (bare.endswith(".") and SAYS.match(bare)):
        return True
    return len(bare.split()) > _LONGEST or (
        bare.endswith((".", "!", "?", "\u2026")) and _TALK.match(bare) is not None
    )
