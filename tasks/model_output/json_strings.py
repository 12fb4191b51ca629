"""Where a string of sloppy JSON ends, and its value."""

from __future__ import annotations

import re
from typing import Any

MARKS = "\"'`\u201c\u201d\u201e\u201f\u00ab"
_ENDS = {
    **{mark: re.compile(rf"[{mark}\\]") for mark in "\"'`"},
    **dict.fromkeys("\u201c\u201d\u201e\u201f", re.compile('["\u201c\u201d\u201e\u201f\\\\]')),
    "\u00ab": re.compile(r"[\u00bb\\]"),
}
_COMMENT = r"(?:(?://|\#)[^\n]{0,200}+|/\*[^*]{0,200}+\*/)"  # a longer one hides what is behind it
_AFTER = re.compile(r"[\s,}\]]*+")
_GAP = re.compile(rf"(?:[\s,]++|{_COMMENT})*+")
_COLON_OR_END = re.compile(r"\s*+(?::|\Z)")
_VALUE = re.compile(
    r"""["'`\u201c\u201d\u201e\u201f\u00ab\[{#]|//|/\*|-?\d|true|false|null|True|False|None"""
)
_KEYS = {
    '"': re.compile(r'"(?:[^"\\\n]|\\.){0,200}+"\s*+:'),
    "'": re.compile(r"'(?:[^'\\\n]|\\.){0,200}+'\s*+:"),
    "`": re.compile(r"`[^`\n]{0,200}+`\s*+:"),
    "": re.compile(r"\w{1,40}+\s*+:"),
    "\u00ab": re.compile(r"\u00ab[^\u00bb\n]{0,200}+\u00bb\s*+:"),
    **dict.fromkeys(
        "\u201c\u201d\u201e\u201f",
        re.compile(
            r'["\u201c\u201d\u201e\u201f][^"\u201c\u201d\u201e\u201f\n]{0,200}+'
            r'["\u201c\u201d\u201e\u201f]\s*+:'
        ),
    ),
}
_CUT_KEY = re.compile(r"""["'][^"'\n]{0,40}\Z""")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def string_end(
    text: str, start: int, depth: int, inside: Any, key_mark: str, *, is_key: bool
) -> int:
    """Return where the string that opens at `start` has its closing mark; -1 where it has none.

    A mark closes the string if JSON goes on behind it: a colon behind a key, a further entry or a
    closing bracket behind a value.

    Args:
        text: the answer.
        start: the place of the opening mark.
        depth: how many brackets are open.
        inside: the object or list that the string is in.
        key_mark: the mark of that object's keys.
        is_key: whether the string is a key.
    """

    def closes(end: int) -> bool:
        if is_key:
            return _COLON_OR_END.match(text, end) is not None
        return _goes_on(text, end, depth, inside, key_mark)

    stops = _ENDS[text[start]]
    at = start + 1
    while (stop := stops.search(text, at)) is not None:
        if stop[0] == "\\":
            at = stop.end() + 1
            continue
        if closes(stop.end()):
            return stop.start()
        at = stop.end()
    return -1


def _goes_on(text: str, at: int, depth: int, inside: Any, key_mark: str) -> bool:
    """Return True if what is behind a mark is how JSON goes on behind a value."""
    after = _AFTER.match(text, at)
    end = after.end() if after else at
    behind = text[at:end]
    closers = behind.count("}") + behind.count("]")
    if end == len(text) or closers >= depth:
        return True
    if closers:
        bare_key = not key_mark and _KEYS[""].match(text, end) is not None
        return _closes(behind, inside) and (bare_key or _VALUE.match(text, end) is not None)
    if isinstance(inside, dict):
        return _key_follows(text, end, key_mark, has_comma="," in behind)
    if "," in behind or "\n" in behind:
        return _VALUE.match(text, end) is not None
    return text.startswith(("//", "/*"), end)


def _key_follows(text: str, at: int, key_mark: str, *, has_comma: bool) -> bool:
    """Return True if the next key of an object is at `at`, or the text ends before or in it."""
    gap = _GAP.match(text, at)
    at = gap.end() if gap else at
    if at == len(text) or _KEYS[key_mark].match(text, at):
        return True
    return has_comma and _CUT_KEY.match(text, at) is not None


def _closes(behind: str, inside: Any) -> bool:
    """Return True if the first closing bracket is the one of what the string is in."""
    first = next(char for char in behind if char in "}]")
    return (first == "}") == isinstance(inside, dict)


def string_value(body: str, mark: str) -> str:
    """Return the value of a string's body: JSON's escapes undone, all else unchanged."""
    if "\\" not in body:
        return body
    value = _ESCAPE.sub(_unescaped, body)
    if any("\ud800" <= char <= "\udfff" for char in value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _ESCAPED.get(match[2], match[2])
