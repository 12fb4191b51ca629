"""One line as a value: JSON, as strict or as careless as it may be, and the Python literals that many a crawl is written in."""

from __future__ import annotations

import ast
import json
import re
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
"""Names that stand for values in literals written by programs; `None`, `True` and `False` are Python's own.
"""
_ESCAPE = re.compile(r"\\(.)")
_SURROGATES = re.compile("[\ud800-\udfff]")


def parsed_json(text: str) -> Any:
    """Return the value of JSON that may hold raw control characters, NaN and escaped apostrophes; None if it is no JSON, or null."""
    for written in (text, _ESCAPE.sub(_unescaped_quote, text) if "\\'" in text else None):
        try:
            if written is not None:
                return json.loads(
                    written.removeprefix("\ufeff"), strict=False, object_pairs_hook=_first_wins
                )
        except (ValueError, RecursionError):
            continue
    return None


def python_literal(text: str) -> Any:
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


def _unescaped_quote(found: re.Match[str]) -> str:
    return "'" if found[1] == "'" else found[0]


def _value(node: ast.expr) -> Any:
    """Return what an expression stands for.

    Raises ValueError when it is no literal, TypeError on a key that cannot be one.
    """
    match node:
        case ast.Dict(keys=keys, values=values):
            if None in keys:
                raise ValueError("a dict is unpacked within another")
            return dict(
                reversed(
                    [
                        (_value(key), _value(value))
                        for key, value in zip(keys, values, strict=True)
                        if key is not None
                    ]
                )
            )
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return [_value(part) for part in parts]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id="inf" | "Infinity")):
            return -_NAMES["inf"]
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Constant(value=str() as text):
            return _joined(text)
        case _:
            return ast.literal_eval(node)


def _joined(text: str) -> str:
    """Return a text with its surrogate pairs, which JSON escapes are read as here, as the characters they stand for."""
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
