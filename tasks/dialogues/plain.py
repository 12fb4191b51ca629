"""Reads the paper profile's answers: plain text, one labelled line a turn."""

from __future__ import annotations

import re

from tasks.dialogues.roles import ROLE_NAMES, role_of
from tasks.dialogues.values import RawTurn, Reading

_NAMES = "|".join(sorted((name for name in ROLE_NAMES if len(name) > 1), key=len, reverse=True))
_LABEL = re.compile(
    r"""[\s>*_#-]{0,8}                       # quoting, bold, heading, bullet
        (?:(?:turn\s*)?\d{1,3}\s*[.):-]?\s*)?  # 1.  2)  Turn 3:
        [*_(\[<]{0,4}\s*
        (?P<role>"""
    + _NAMES
    + r""")
        (?:\s*\d{1,3})?
        (?:\s*\([^()\n]{0,60}\))?            # User (Greeting):
        (?:\s*[\])>]+[*_]{0,3}\s*[:-]?|[*_]{0,3}\s*[:\uff1a]|\s+-(?=\s))
        [*_]{0,3}\s*(?P<text>.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_NOISE = re.compile(r"[\s\-=*_#~`.]*(?:[\[(<{]\s*(?:the\s+)?end\b[^\n]{0,40})?", re.IGNORECASE)
_UNFINISHED = re.compile(r"[\w,;:(\[{<\\/-]\Z")


def read_plain(text: str) -> Reading:
    """Take a plain-text answer apart.

    `User:`, `**User:**`, `[User]`, numbered and quoted labels are read, unlabelled lines continue the turn before them, and what stands
    before the first label is dropped. `whole` is False when the last turn ends without a mark that ends a sentence.
    """
    spoken: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        label = _LABEL.match(line)
        if label:
            spoken.append((role_of(label["role"]), [label["text"]]))
        elif spoken and not _NOISE.fullmatch(line):
            spoken[-1][1].append(line)
    turns = [RawTurn(role, " ".join(lines)) for role, lines in spoken]
    if not turns:
        return Reading((), whole=False, error="no line is labelled User or Agent")
    return Reading(tuple(turns), whole=not _UNFINISHED.search(turns[-1].text.rstrip()) and bool(turns[-1].text.strip()))
