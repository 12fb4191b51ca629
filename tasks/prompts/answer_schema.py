"""The JSON schema of an answer, made from a template: how many turns, whose, and with which items.

An engine that decodes under the schema cannot miss a turn, a role or an item. The schema is in the
form that says most; `tasks.llm` reduces it for models that take less.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from tasks.templates import Turn

_SYNTAX = re.compile(r"[\\^$.|?*+()\[\]{}/]")
# Engines match a pattern with the JSON text, so what JSON escapes is kept out of it.
_ESCAPED_IN_JSON = r'"\\\u0000-\u001f'


@lru_cache(maxsize=1024)
def answer_schema(
    turns: tuple[Turn, ...], item_reference: str, only: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Return the JSON schema of the answer for a template.

    Args:
        turns: the template's turns.
        item_reference: how a text speaks of slot N; `$slot` stands for N.
        only: numbers of the turns asked for, from 1, each of which then gives its number; empty
            means the whole dialogue.
    """
    asked = only or tuple(range(1, len(turns) + 1))
    entries = []
    for number in asked:
        entry = {"turn": {"type": "integer", "enum": [number]}} if only else {}
        entries.append(object_schema({**entry, **_turn(turns[number - 1], item_reference)}))
    # No `items`: llama.cpp would take it in place of `prefixItems`. `maxItems` ends the list.
    listed = {
        "type": "array",
        "prefixItems": entries,
        "minItems": len(entries),
        "maxItems": len(entries),
    }
    return object_schema({"turns": listed})


@lru_cache(maxsize=1024)
def utterance_schema(turn: Turn, item_reference: str) -> dict[str, Any]:
    """Return the JSON schema of the answer for one turn that is asked for alone: its text.

    Whose turn it is needs no field, for each role is asked by itself.
    """
    return object_schema({"text": _text(turn, item_reference)})


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an object that has these properties, all of them and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def schema_format(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema as the response format that litellm takes."""
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }


def _turn(turn: Turn, item_reference: str) -> dict[str, Any]:
    role = {"type": "string", "enum": [turn.role]}
    return {"role": role, "text": _text(turn, item_reference)}


def _text(turn: Turn, item_reference: str) -> dict[str, Any]:
    return {"type": "string", "pattern": text_pattern(turn, item_reference)}


def text_pattern(turn: Turn, item_reference: str) -> str:
    """Return the regular expression of a turn's text.

    The items that the turn introduces are in it, in the template's order; they and those it refers
    to may be named elsewhere in it, and no others. It has what ECMA 262, Python and the grammars of
    decoders have in common: classes, groups and repetition, with both ends anchored.
    """
    due = [_reference(item_reference, slot) for slot in turn.introduces]
    allowed = [*due, *(_reference(item_reference, slot) for slot in turn.refers)]
    plain = f"[^{_ESCAPED_IN_JSON}{_marks(item_reference)}]"
    piece = f"({'|'.join([plain, *allowed])})"
    if not due:
        return f"^{piece}+$"
    return f"^{piece}*{f'{piece}*'.join(due)}{piece}*$"


def _reference(item_reference: str, slot: int) -> str:
    """Return the regular expression of the reference to one slot."""
    return _SYNTAX.sub(r"\\\g<0>", item_reference.replace("$slot", str(slot)))


def _marks(item_reference: str) -> str:
    """Return, for a character class, the marks that a reference begins and ends with.

    Free text has none of them, so every reference in a text is one of the allowed ones.
    """
    ends = {item_reference[0], item_reference[-1]}
    marks = sorted(end for end in ends if not (end.isalnum() or end.isspace() or end == "$"))
    return "".join(f"\\{mark}" if _SYNTAX.match(mark) or mark in "-]" else mark for mark in marks)
