"""Reads the JSON in an answer: strictly where it is JSON, else as tolerantly as models write it.

The rule for an answer that ends inside its JSON: it is cut, and nothing is completed unseen. The
one exception is an answer that lacks nothing but closing braces: every bracket still open is an
object's, and the last value is a closed list or object. A list that is still open could have gone
on, and a number or text at the very end could have been longer. Whether the object would have had
one key more cannot be known; every list in it is complete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tasks.model_output.json_scanner import scan

_LONGEST_INTEGER = 18  # digits; what is longer is no count, and Python refuses 4,301 of them
# Characters read without a result: at most 8 times the answer's length, plus 200,000.
_WORK = 8
_FREE_WORK = 200_000
_LEAST_WORK = 4_000  # what a bracket that opens nothing counts at least


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits.lstrip("-")) <= _LONGEST_INTEGER else digits


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer)  # texts may hold raw line breaks
_START = re.compile(
    r"""\{(?=\s*+(?:["'\u201c\u201d\u201e\u201f\u00ab`}\#]|//|/\*))|(?<!\{)\{(?=\s*+\w{1,40}+\s{0,8}:)"""
    r"""|\[(?=\s*+(?:["'\u201c\u201d\u201e\u201f\u00ab`\[{\]#-]|\d|//|/\*|null|true|false|None))"""
)
_QUOTED_START = re.compile(r"[\[{]\s*+[\[{]?\s*+[\"'\u201c\u201e]")
_ESCAPED_START = re.compile(r'[{\[](?:\s|\\+n)*+(?:[{\[](?:\s|\\+n)*+)?\\+"')
_HIGH = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNSTORABLE = re.compile(rf"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")


class JsonValue(NamedTuple):
    """One value, and the stretch of the text searched that it was read from."""

    value: Any
    start: int
    end: int


@dataclass
class JsonReading:
    """The JSON in a text.

    Attributes:
        values: the outermost objects and lists, in order.
        text: what they were looked for in: the answer, unescaped if all of it was escaped.
        broken: whether something that begins as JSON does could not be read.
        cut: whether the text ends inside a value; that value holds what was complete in it.
    """

    values: list[JsonValue] = field(default_factory=list)
    text: str = ""
    broken: bool = False
    cut: bool = False


def parse_json(text: str) -> Any:
    """Return the value of a text that is JSON and nothing else; None where it is not."""
    try:
        return _DECODER.decode(_storable(text))
    except (ValueError, RecursionError, MemoryError):
        return None


def read_json(text: str, *, keep_open_objects: bool = False) -> JsonReading:
    """Read every JSON object and list in a text, with any text around them.

    Comments, missing and trailing commas, other quotation marks, marks that were not escaped, keys
    without marks, Python's notation and JSON written as a string once more are read as meant.

    Args:
        text: an answer without reasoning and chat tokens.
        keep_open_objects: keep the complete entries of an object inside a list that is cut; else
            such an object is left out.
    """
    reading = JsonReading(text=_unescaped(_storable(text)))
    work_left = _WORK * len(reading.text) + _FREE_WORK
    at = 0
    while work_left >= 0 and (start := _START.search(reading.text, at)) is not None:
        read = _value_at(reading, start.start(), keep_open_objects)
        if isinstance(read, JsonValue):
            reading.values.append(read)
            at = read.end
            continue
        work_left -= read - start.start() + _LEAST_WORK
        at = start.end()
        reading.broken = reading.broken or bool(_QUOTED_START.match(reading.text, start.start()))
    return reading


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in an answer, outer ones before those in them, with lower-case names."""
    level: list[Any] = [read.value for read in read_json(text, keep_open_objects=True).values]
    while level:
        inside: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                yield {str(name).strip().lower(): entry for name, entry in value.items()}
                inside.extend(value.values())
            elif isinstance(value, list):
                inside.extend(value)
        level = inside


def _value_at(reading: JsonReading, start: int, keep_open_objects: bool) -> JsonValue | int:
    """Return the value that begins at `start`, or the place up to which none could be read."""
    try:
        value, end = _DECODER.raw_decode(reading.text, start)
        return JsonValue(value, start, end)
    except (ValueError, RecursionError, MemoryError):
        pass
    scanned = scan(reading.text, start, keep_open_objects)
    if isinstance(scanned, int):
        return scanned
    reading.cut = reading.cut or scanned.cut
    return JsonValue(scanned.value, start, scanned.end)


def _storable(text: str) -> str:
    """Return JSON text whose strings hold no lone surrogate."""
    return _UNSTORABLE.sub(r"\\ufffd", text) if "\\u" in text else text


def _unescaped(text: str) -> str:
    """Return the JSON inside an answer that wrote it as a string: without its escapes."""
    escaped = _ESCAPED_START.search(text)
    plain = _START.search(text) if escaped else None
    if escaped is None or (plain is not None and plain.start() < escaped.start()):
        written_out = text.lstrip().startswith(("{\\n", "[\\n"))
        return text.replace("\\n", " ") if written_out else text
    body = text[escaped.start() :]
    try:
        return str(_DECODER.raw_decode(f'"{body}"')[0])
    except ValueError:
        return body.replace('\\"', '"').replace("\\n", " ")
