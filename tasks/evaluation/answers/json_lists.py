"""Titles in JSON, whole or broken, inside fences and prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_ASSIGNED = re.compile(r"^\w{1,40}\s*=\s*(?=[\[{])")  # a variable of Python
_FENCE = re.compile(r"```[a-zA-Z0-9_-]*")
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_COMMENT = re.compile(r"(?m)(?<=[,\[{\]}])\s*//.*$")
_SMART = str.maketrans("“”„‟«»", '""""""')
_TITLE_KEYS = ("title", "name", "item", "movie", "film", "book", "product", "recommendation", "work", "game", "song", "album", "show")
_NO_TITLE_KEYS = ("author", "director", "actor", "artist", "brand", "user", "file", "genre", "category", "creator")
_ID_KEYS = frozenset(("id", "_id", "uuid", "asin", "isbn", "url", "link", "rank", "year"))
_SEEN = re.compile(
    r"seen|watched|already|histor|previous|mentioned|known|rated|liked|avoid|exclud|not_", re.IGNORECASE
)  # lists of no answer
_LIST_KEYS = ("recommend", "title", "movie", "film", "book", "item", "product", "result", "list", "suggest", "answer", "output")
_COUNTED = re.compile(r"[a-z_ #-]*\d+\.?", re.IGNORECASE)
_DOUBLE = r'"(?P<double>(?:[^"\\]|\\.)*)"'
_SINGLE = r"'(?P<single>(?:[^'\\]|\\.|'(?=\w))*)'"
_TITLE_PAIR = re.compile(
    rf"""["'](?:[a-z_ ]*(?:title|name)|item|movie|film|book|product)["']\s*:\s*(?:{_DOUBLE}|{_SINGLE})""", re.IGNORECASE
)
_GOES_ON = r"(?!\s*(?:[,\]}:\n]|$))"  # a mark that ends no string: what would follow one does not follow
_STRING = re.compile(
    rf"""(?:"(?P<double>(?:[^"\\\n]|\\.|"{_GOES_ON})*)"|'(?P<single>(?:[^'\\\n]|\\.|'{_GOES_ON})*)')\s*(?P<next>[,\]}}:\n]|$)"""
)
_FEWEST = 2  # strings that make a broken list
_MOST_FAILURES = 100  # brackets that open nothing, tried in one answer


def json_titles(text: str) -> list[str] | None:
    """Return the titles of the longest list in JSON, the last of equally long ones; None where there is no JSON.

    A list of bare numbers counts only where it is the whole answer: "[1]" in prose is a footnote.
    """
    whole = _bare(text).strip()
    best: list[str] = []
    single: list[str] = []
    covered = whole == "null"
    for value, start, end in _values(whole):
        covered = covered or end - start == len(whole)
        titles = titles_in(value)
        if isinstance(value, dict) and len(titles) == 1:
            single += titles
        elif len(titles) >= max(1, len(best)) and (covered or not all(map(str.isdigit, titles))):
            best = titles
    broken = _broken(whole) if not covered and (whole[:1] in {"[", "{"} or "```" in text) else []
    found = max(best, single, broken, key=len)
    return found if found or covered else None


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Walk the objects in an answer, outer ones before those inside them, names in small letters."""
    waiting = [value for value, _, _ in _values(_bare(text))]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, dict):
            yield {str(name).strip().lower(): entry for name, entry in value.items()}
        waiting += value if isinstance(value, list) else value.values() if isinstance(value, dict) else []


def titles_in(value: Any) -> list[str]:
    """Return the titles in a JSON value: a list of names or objects, an object around one, or numbered names."""
    if isinstance(value, list):
        return [title for title in map(_title_of, value) if title]
    if not isinstance(value, dict):
        return []
    return _of_lists(value) or _of_names(value)


def _of_lists(value: dict[str, Any]) -> list[str]:
    lists = {str(name): found for name, inner in value.items() if (found := titles_in(inner) if isinstance(inner, list | dict) else [])}
    lists = {name: found for name, found in lists.items() if not _SEEN.search(name)} or lists
    named = [found for name, found in lists.items() if any(word in name.lower() for word in _LIST_KEYS)]
    if named:
        return max(named, key=len)
    if lists and all(isinstance(inner, list) for inner in value.values()):
        return [title for found in lists.values() for title in found]  # grouped, such as by genre
    inner = [_title_of(entry) for name, entry in value.items() if isinstance(entry, dict) and _COUNTED.fullmatch(str(name))]
    return [title for title in inner if title] or max(lists.values(), key=len, default=[])


def _of_names(value: dict[str, Any]) -> list[str]:
    counted = [str(entry) for name, entry in value.items() if _COUNTED.fullmatch(str(name)) and isinstance(entry, str)]
    if counted:
        return counted
    named = _named(value)
    return [named] if named else _keys(value)


def _keys(value: dict[str, Any]) -> list[str]:
    """Return the names of an object that are titles, with scores or reasons as values; fields' names begin small."""
    names = [str(name).strip() for name in value]
    kinds = {type(entry) for entry in value.values()}
    alike = kinds == {str} or bool(kinds) and kinds <= {int, float}
    return names if len(names) >= _FEWEST and alike and not any(name[:1].islower() for name in names) else []


def _title_of(entry: Any) -> str:
    if isinstance(entry, list):
        entry = next((inner for inner in entry if isinstance(inner, str)), "")
    if isinstance(entry, dict):
        texts = (
            inner
            for name, inner in entry.items()
            if isinstance(inner, str) and not inner.strip().isdigit() and str(name).lower() not in _ID_KEYS
        )
        return _named(entry) or next(texts, "")
    return str(entry).strip() if isinstance(entry, str | int) and not isinstance(entry, bool) else ""


def _named(entry: dict[str, Any]) -> str:
    """Return the value whose key says that it is a title."""
    for wanted in _TITLE_KEYS:
        for key, value in entry.items():
            name = str(key).lower()
            fits = wanted in name and not any(word in name for word in _NO_TITLE_KEYS)
            if fits and isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()
    return ""


def _bare(text: str) -> str:
    bare = _ASSIGNED.sub("", _FENCE.sub("", text).strip())
    if bare[:1] == '"':
        try:
            inner = json.loads(bare)
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, str):
            bare = inner.strip()  # JSON inside a JSON string
    if bare[:2] in {"[“", "{“"} or re.match(r"[\[{]\s*[“„«]", bare):
        bare = bare.translate(_SMART)
    return _TRAILING_COMMA.sub(r"\1", _COMMENT.sub("", bare))


def _values(bare: str) -> Iterator[tuple[Any, int, int]]:
    """Walk the outermost JSON values in a text, with their places."""
    decoder = json.JSONDecoder()
    end = failures = 0
    for found in re.finditer(r"[\[{]", bare):
        if found.start() < end or failures >= _MOST_FAILURES:
            continue
        try:
            value, end = decoder.raw_decode(bare, found.start())
        except (ValueError, RecursionError):
            failures += 1
            continue
        yield value, found.start(), end


def _broken(text: str) -> list[str]:
    """Return the titles of a list that is no JSON: cut off, in single quotes, or with marks left unescaped."""
    pairs = [_unescaped(found["double"] if found["double"] is not None else found["single"]) for found in _TITLE_PAIR.finditer(text)]
    if pairs:
        return pairs
    body = text[max(text.find("["), 0) :]
    strings = [
        _unescaped(found["double"] if found["double"] is not None else found["single"])
        for found in _STRING.finditer(body)
        if found["next"] != ":"
    ]
    return strings if len(strings) >= _FEWEST else []


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"')).strip()
    except ValueError:
        return text.replace('\\"', '"').replace("\\'", "'").strip()
