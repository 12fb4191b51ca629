"""Titles in JSON, whole or broken, inside fences and prose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from tasks.model_output.message import without_fences
from tasks.model_output.tolerant_json import JsonReading, read_json

_ASSIGNED = re.compile(r"\w{1,40}\s{0,8}=\s{0,8}(?=[\[{])")  # a variable of Python
_TITLE_KEYS = (
    *("title", "name", "item", "movie", "film", "book", "product", "recommendation", "work"),
    *("game", "song", "album", "show"),
)
_NO_TITLE_KEYS = (
    *("author", "director", "actor", "artist", "brand", "user", "file", "genre", "category"),
    "creator",
)
_ID_KEYS = frozenset(("id", "_id", "uuid", "asin", "isbn", "url", "link", "rank", "year"))
# Lists of no answer.
_SEEN = re.compile(
    r"seen|watched|already|histor|previous|mentioned|known|rated|liked|avoid|exclud|not_",
    re.IGNORECASE,
)
_LIST_KEYS = (
    *("recommend", "title", "movie", "film", "book", "item", "product", "result", "list"),
    *("suggest", "answer", "output"),
)
_COUNTED = re.compile(r"[a-z_ #-]{0,40}\d{1,6}\.?", re.IGNORECASE)
_FEWEST = 2  # names that may be titles with scores or reasons as values
_DEEPEST = 20


def json_titles(text: str) -> list[str] | None:
    """Return the titles of the longest JSON list, the last of equals; None without JSON.

    A list of bare numbers counts only where it is the whole answer: "[1]" in prose is a footnote.
    """
    bare = without_fences(text).strip()
    assigned = _ASSIGNED.match(bare)
    bare = bare[assigned.end() :] if assigned else bare
    reading = read_json(bare, keep_open_objects=True)
    covered = bare == "null" or _covers_all(reading)
    longest = _longest_list([value for value, _, _ in reading.values], footnotes_count=covered)
    return longest if longest or covered else None


def _longest_list(values: Sequence[Any], *, footnotes_count: bool) -> list[str]:
    """Return the titles of the longest value; objects of one title each make a list together."""
    best: list[str] = []
    single: list[str] = []
    for value in values:
        titles = titles_in(value)
        if isinstance(value, dict) and len(titles) == 1:
            single += titles
        elif _may_be_footnote(value) and not footnotes_count:
            continue
        elif titles and len(titles) >= len(best):
            best = titles
    return max(best, single, key=len)


def titles_in(value: Any, depth: int = 0) -> list[str]:
    """Return the titles in a JSON value.

    It may be a list of names or objects, an object around one, or an object of numbered names.
    """
    if isinstance(value, list):
        return [title for title in map(_title_of, value) if title]
    if not isinstance(value, dict) or depth > _DEEPEST:
        return []
    return _of_lists(value, depth) or _of_names(value)


def _covers_all(reading: JsonReading) -> bool:
    """Return True if one value is the whole answer and was read to its end."""
    if len(reading.values) != 1 or reading.cut:
        return False
    text = reading.text.strip()
    only = reading.values[0]
    return reading.text[only.start : only.end].strip() == text


def _may_be_footnote(value: Any) -> bool:
    """Return True for a list of bare numbers; "1917" in quotation marks is a title."""
    return isinstance(value, list) and all(isinstance(entry, int) for entry in value)


def _of_lists(value: dict[str, Any], depth: int) -> list[str]:
    """Return the titles of an object's lists.

    These are the longest list whose name says so, all lists of an object that has nothing else, or
    the longest list of all.
    """
    lists = _unseen(_lists_in(value, depth))
    named = [titles for name, titles in lists.items() if _is_list_name(name)]
    if named:
        return max(named, key=len)
    # Lists and nothing else are groups, such as genres.
    if lists and all(isinstance(inner, list) for inner in value.values()):
        return list(chain.from_iterable(lists.values()))
    return _counted_objects(value) or max(lists.values(), key=len, default=[])


def _lists_in(value: dict[str, Any], depth: int) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, inner in value.items():
        titles = titles_in(inner, depth + 1) if isinstance(inner, list | dict) else []
        if titles:
            lists[str(name)] = titles
    return lists


def _unseen(lists: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the lists that are not a history; all of them where every one is."""
    return {name: titles for name, titles in lists.items() if not _SEEN.search(name)} or lists


def _is_list_name(name: str) -> bool:
    return any(word in name.lower() for word in _LIST_KEYS)


def _counted_objects(value: dict[str, Any]) -> list[str]:
    """Return the titles of {"1": {"title": ...}, "2": {...}}."""
    counted = [
        _title_of(entry)
        for name, entry in value.items()
        if isinstance(entry, dict) and _COUNTED.fullmatch(str(name))
    ]
    return [title for title in counted if title]


def _of_names(value: dict[str, Any]) -> list[str]:
    counted = [
        str(entry)
        for name, entry in value.items()
        if isinstance(entry, str) and _COUNTED.fullmatch(str(name))
    ]
    if counted:
        return counted
    named = _named(value)
    return [named] if named else _keys(value)


def _keys(value: dict[str, Any]) -> list[str]:
    """Return an object's keys if they are titles with scores or reasons as values.

    Names of fields begin with a small letter, titles do not.
    """
    names = [str(name).strip() for name in value]
    kinds = {type(entry) for entry in value.values()}
    alike = kinds == {str} or bool(kinds) and kinds <= {int, float}
    if len(names) < _FEWEST or not alike:
        return []
    return [] if any(name[:1].islower() for name in names) else names


def _title_of(entry: Any) -> str:
    if isinstance(entry, list):
        entry = next((inner for inner in entry if isinstance(inner, str)), "")
    if isinstance(entry, dict):
        return _named(entry) or next(_other_texts(entry), "")
    return str(entry).strip() if _is_text_or_number(entry) else ""


def _is_text_or_number(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _other_texts(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the texts of an object that may be its title under an unknown name."""
    for name, inner in entry.items():
        is_id = str(name).lower() in _ID_KEYS
        if isinstance(inner, str) and not is_id and not inner.strip().isdigit():
            yield inner


def _named(entry: dict[str, Any]) -> str:
    """Return the value whose key says that it is a title."""
    for wanted in _TITLE_KEYS:
        for key, value in entry.items():
            if _is_title_key(str(key).lower(), wanted) and _is_text_or_number(value):
                title = str(value).strip()
                if title:
                    return title
    return ""


def _is_title_key(name: str, wanted: str) -> bool:
    return wanted in name and not any(word in name for word in _NO_TITLE_KEYS)
