"""Decodes the JSON in an answer, as tolerantly as models write JSON."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_DECODER = json.JSONDecoder(strict=False)  # models put raw line breaks into strings
_START = re.compile(r"[{\[](?=\s*(?:[\"'\u201c{\[}\]#]|//|/\*))")
_ESCAPED_START = re.compile(r"[{\[](?:\s|\\+n)*(?:[{\[](?:\s|\\+n)*)?\\+\"")
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|(?<![:\w])//[^\n]*|/\*[^*]*\*/|^[ \t]*#[^\n]*', re.MULTILINE)
_CURLY = str.maketrans("\u201c\u201d\u201e\u201f", '""""')
_PYTHON = re.compile(r"[{\[]\s*[{\[]?\s*'")
_TRIES = 20


@dataclass
class Decoded:
    """What could be decoded: the values, in order; `broken` tells that some of the JSON could not, `cut` that its end is missing."""

    values: list[Any] = field(default_factory=list)
    broken: bool = False
    cut: bool = False


def decode(text: str) -> Decoded:
    """Decode every JSON object and list that stands in a text, whatever stands around them.

    Trailing commas, comments, curly quotation marks, Python's notation and JSON written as a string once more are mended.
    """
    found = Decoded()
    text = _unescaped(text)
    at = 0
    for _ in range(_TRIES):
        start = _START.search(text, at)
        if start is None:
            break
        body = text[start.start() :]
        for candidate in _mended(body):
            try:
                value, end = _DECODER.raw_decode(candidate)
            except json.JSONDecodeError as error:
                if candidate is body:
                    found.cut = found.cut or error.pos >= len(body.rstrip()) or error.msg.startswith("Unterminated")
                continue
            except RecursionError:
                continue
            found.values.append(value)
            text, at = candidate, end
            break
        else:
            value = _as_python(body)
            if value is not None:
                return Decoded([*found.values, value], found.broken)
            found.broken = True
            at = start.end()
    return found


def _unescaped(text: str) -> str:
    """Return the JSON inside an answer that wrote it as a string: the string's content, or all of it without its escapes."""
    escaped, plain = _ESCAPED_START.search(text), _START.search(text)
    if escaped is None or (plain is not None and plain.start() < escaped.start()):
        return text.replace("\\n", " ") if text.lstrip().startswith(("{\\n", "[\\n")) else text
    body = text[escaped.start() :]
    try:
        return str(_DECODER.raw_decode(f'"{body}"')[0])
    except json.JSONDecodeError:
        return body.replace('\\"', '"').replace("\\n", " ")


def _mended(body: str) -> Iterator[str]:
    yield body
    yield _TRAILING_COMMA.sub(r"\1", body)
    yield _TRAILING_COMMA.sub(r"\1", without_comments(body))
    yield body.translate(_CURLY)


def without_comments(text: str) -> str:
    """Return JSON without the comments that JSON has not: `// ...`, `/* ... */` and lines that begin with `#`; strings stay."""
    return _COMMENT.sub(lambda found: found[1] or "", text) if "//" in text or "/*" in text or "#" in text else text


def _as_python(body: str) -> Any:
    """Return what an answer in Python's notation means, or None."""
    if not _PYTHON.match(body):
        return None
    try:
        return ast.literal_eval(body[: max(body.rfind("}"), body.rfind("]")) + 1])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
