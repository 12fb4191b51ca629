"""Whether an answer says anything, and the answer that a server put into another field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tasks.model_output.chat_tokens import first_message
from tasks.model_output.message import unfenced
from tasks.model_output.reasoning import strip_reasoning
from tasks.model_output.tolerant_json import parse_json

_SPOKEN_LINE = re.compile(
    r"^\W{0,4}(?:user|seeker|agent|assistant|recommender)\W{0,4}:", re.IGNORECASE | re.MULTILINE
)
MIN_SPOKEN_LINES = 2  # a single "User:" is in many a plan
MAX_EMPTY_JSON = 2_000  # characters; longer JSON is taken to say something
_NAMES_ONLY = frozenset({"role", "speaker"})  # keys whose values say nothing by themselves


def says_something(text: str) -> bool:
    """Return True if a text holds more than reasoning, white space, marks and empty JSON."""
    answer = strip_reasoning(text).strip()
    if not _has_words(answer):
        return False
    if len(answer) > MAX_EMPTY_JSON or not answer.startswith(("{", "[", "`", "~")):
        return True
    value = _json_of(answer)
    return value is None or any(_leaves(value))


def answer_in_reasoning(text: str) -> str:
    """Return the answer that a field for reasoning holds; empty when it only holds reasoning.

    An answer is what follows reasoning in tags or channels, a text that is JSON as a whole, or a
    dialogue that begins with a speaker and has at least two lines with one. JSON in the middle of
    prose is a draft and does not count.
    """
    answer = strip_reasoning(text).strip()
    if not says_something(answer):
        return ""
    if answer != text.strip():
        return answer
    if isinstance(_json_of(answer), dict | list):
        return answer
    first = _SPOKEN_LINE.match(answer)
    return answer if first and len(_SPOKEN_LINE.findall(answer)) >= MIN_SPOKEN_LINES else ""


def _json_of(answer: str) -> Any:
    """Return the value of an answer, its reasoning taken off, that is JSON; None if it is not."""
    return parse_json(unfenced(first_message(answer)).strip())


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _leaves(value: Any) -> Iterator[bool]:
    """Yield, for each value in JSON, whether it says something."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _NAMES_ONLY:
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield _has_words(value)
    else:
        yield value is not None
