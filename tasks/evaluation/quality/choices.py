"""Reads which of two conversations a judge prefers: JSON first, else as written in prose.

Whatever is not clear is no verdict.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

from tasks.evaluation.quality.values import Choice
from tasks.model_output import json_objects, read_or_else, reply_text

_KEYS = ("better", "winner", "choice", "preferred", "preference", "verdict")
_CHOICES: dict[str, Choice] = {
    **dict.fromkeys(
        ("0", "tie", "equal", "equally good", "same", "both", "neither", "none", "draw"), "tie"
    ),
    **dict.fromkeys(("1", "first", "one", "a"), "first"),
    **dict.fromkeys(("2", "second", "two", "b"), "second"),
}
_NOUN = r"(?:dialogue|dialog|conversation|option)"
_WHOLE = re.compile(
    rf"(?:the )?(?:{_NOUN}\W{{1,3}})?([a-z]+(?: good)?|[012])(?: {_NOUN})?(?:\s*\([^()]*\))?"
)
_SIDE = (
    rf"(?:(?:the )?{_NOUN}\W{{1,3}}(?P<after>1|2|one|two|a|b)\b|the (?P<before>first"
    rf"|second)\b(?: {_NOUN}| one)?)"
)
_MILD = (
    r"(?:(?:is|was|seems|are|clearly|slightly|much|far|somewhat|overall|the|of|a|bit"
    r"|marginally|also|definitely)\s+){0,5}"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:better|winner|choice|verdict|preferred|preference|answer)\b(?: {_NOUN}"
        rf"| one)?[^\w\n]{{0,4}}(?:[:=]|\bis\b)[^\w\n]{{0,6}}"
        rf"(?:(?:the )?{_NOUN}\W{{1,3}})?(?P<word>\w+)(?![-–/]\d)",
        rf"\b(?:verdict|answer|winner)\W{{1,8}}{_NOUN}\W{{1,3}}(?P<word>\w+)",
        rf"\b{_SIDE}\s+{_MILD}(?:better|higher|superior|preferred|preferable|winner|wins\b)",
        rf"\b(?:prefer|choose|pick)\s+{_SIDE}",
        r"\b(?P<tie>equally good|(?:it is|it['’]s|call it|as) a (?:tie|draw)|of equal quality)\b",
    )
)
_DENIED = re.compile(r"\b(?:not|n['’]t|hardly)\b|n['’]t\b", re.IGNORECASE)


def parse_choice(text: str) -> Choice | None:
    """Return which of two conversations an answer clearly prefers, or None."""
    return read_or_else(_read_choice, text, lambda _: None)


def _read_choice(text: str) -> Choice | None:
    reply = reply_text(text)
    named: list[object] = []
    for content in json_objects(reply):
        named += [content[key] for key in _KEYS if key in content]
    if named:
        return _choice(named[-1])
    matches = chain.from_iterable(pattern.finditer(reply) for pattern in _PATTERNS)
    written = set(map(_written_choice, matches)) - {None}
    if written:
        return written.pop() if len(written) == 1 and not _DENIED.search(reply) else None
    return _choice(reply)


def _written_choice(match: re.Match[str]) -> Choice | None:
    groups = match.groupdict()
    if groups.get("tie"):
        return "tie"
    return _CHOICES.get(
        (groups.get("word") or groups.get("after") or groups.get("before") or "").lower()
    )


def _choice(value: Any) -> Choice | None:
    """Return the choice a whole value is."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = (
        f"{value:g}"
        if isinstance(value, int | float)
        else " ".join(value.strip().strip("*_.\"'[]` ").lower().split())
    )
    if text in _CHOICES:
        return _CHOICES[text]
    match = _WHOLE.fullmatch(text)
    if match:
        return _CHOICES.get(match[1])
    return "tie" if isinstance(value, str) and _PATTERNS[-1].search(text) else None
