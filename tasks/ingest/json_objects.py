"""One line as a value: JSON, strict or lenient, or a Python literal as many crawls have it."""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from typing import Any

from tasks.ingest.defects import BROKEN, Defect

_NAMES: dict[str, Any] = {
    "nan": float("nan"),
    "NaN": float("nan"),
    "inf": float("inf"),
    "Infinity": float("inf"),
    "null": None,
    "true": True,
    "false": False,
}
"""Values of names in literals written by programs, besides Python's own."""
_ESCAPE = re.compile(r"\\(.)")
_SURROGATES = re.compile("[\ud800-\udfff]")


def parse_json(text: str) -> Any:
    """Return the value of lenient JSON; None if it is not JSON, or null.

    It may hold raw control characters, NaN and escaped apostrophes.
    """
    variants = [text]
    if "\\'" in text:
        variants.append(_ESCAPE.sub(_unescape_apostrophe, text))
    for variant in variants:
        with suppress(ValueError, RecursionError):
            return json.loads(
                variant.removeprefix("\ufeff"), strict=False, object_pairs_hook=_first_wins
            )
    return None


def parse_literal(text: str) -> Any:
    """Return the value of a Python literal, `nan` and JSON's names included. Raises Defect."""
    text = text.strip().removeprefix("\ufeff")
    if text == "null":
        return None
    if not text.startswith("{"):
        raise Defect(BROKEN, "not JSON")
    try:
        return _value(ast.parse(text, mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise Defect(BROKEN, "neither JSON nor a Python literal") from None


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _unescape_apostrophe(match: re.Match[str]) -> str:
    return "'" if match[1] == "'" else match[0]


def _value(node: ast.expr) -> Any:
    """Return the value of a literal.

    Raises ValueError when it is no literal, TypeError on a key that cannot be one.
    """
    match node:
        case ast.Dict(keys=keys, values=values):
            return _first_wins([_pair(key, value) for key, value in zip(keys, values, strict=True)])
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return [_value(part) for part in parts]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id="inf" | "Infinity")):
            return -_NAMES["inf"]
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Constant(value=str() as text):
            return _join_surrogates(text)
        case _:
            return ast.literal_eval(node)


def _pair(key: ast.expr | None, value: ast.expr) -> tuple[Any, Any]:
    if key is None:
        raise ValueError("a dict is unpacked within another")
    return _value(key), _value(value)


def _join_surrogates(text: str) -> str:
    """Return a text with its surrogate pairs, from JSON escapes, as single characters."""
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
