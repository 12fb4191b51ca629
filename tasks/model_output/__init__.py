"""Reading what models send.

In: the raw text of an answer. Out: the message in it (no reasoning, chat tokens or code fences),
the JSON in it, or the titles it lists. Start with `message_text`, `read_json` or `parse_answer`.
"""

from tasks.model_output.answer_content import answer_in_reasoning, says_something
from tasks.model_output.limits import MOST_CHARACTERS, read_or_else
from tasks.model_output.list_entries import Recommended
from tasks.model_output.lists import markdown_rows
from tasks.model_output.message import looks_like_json, message_text, reply_text, without_fences
from tasks.model_output.reasoning import strip_reasoning
from tasks.model_output.recommendations import MOST, Parsed, parse_answer
from tasks.model_output.tolerant_json import JsonReading, json_objects, parse_json, read_json

__all__ = [
    "MOST",
    "MOST_CHARACTERS",
    "JsonReading",
    "Parsed",
    "Recommended",
    "answer_in_reasoning",
    "json_objects",
    "looks_like_json",
    "markdown_rows",
    "message_text",
    "parse_answer",
    "parse_json",
    "read_json",
    "read_or_else",
    "reply_text",
    "says_something",
    "strip_reasoning",
    "without_fences",
]
