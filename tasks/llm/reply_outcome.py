"""Whether a reply holds an answer, told by its fields: content, reasoning, refusal, tool calls.

| what arrived | outcome |
|---|---|
| finish reason `error`, with or without text | `interrupted`: asked once more |
| content that says something | the answer |
| content empty, a refusal | `refused` |
| content empty, finish reason of a filter (content_filter, SAFETY, RECITATION ...) | `filtered` |
| content empty, the answer in reasoning_content or reasoning | the answer |
| content empty, finish reason of length | `truncated` |
| content empty, tool calls | `tool_call`: asked once more |
| content empty, nothing else | `empty`: asked once more |

Content is empty too when it holds only reasoning, only marks or JSON without a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.llm.errors import CallError, Kind
from tasks.model_output import answer_in_reasoning, says_something
from tasks.redaction import one_line
from tasks.storable_text import valid_text

BROKEN_BY_PROVIDER = frozenset({"error", "network_error", "model_error", "engine_error"})
WITHHELD = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "guardrail_intervened",
        "refusal",
    }
)
CUT_FOR_LENGTH = frozenset({"length", "max_tokens", "model_length"})
REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")
LONGEST_REFUSAL = 200  # characters of a refusal that are shown


@dataclass(frozen=True)
class Silence:
    """A reply without an answer: the kind of its error, and the reason in one line."""

    kind: Kind
    reason: str


def read_outcome(text: str, message: Mapping[str, Any], finish_reason: str) -> str | Silence:
    """Return the answer that a reply holds, or why it holds none.

    Args:
        text: the message's content as text.
        message: the whole message.
        finish_reason: as the provider names it.
    """
    finish = finish_reason.lower()
    if finish in BROKEN_BY_PROVIDER:
        return Silence("interrupted", f"the provider broke off (finish reason {finish_reason!r})")
    if says_something(text):
        return text
    refusal = valid_text(text_of(message.get("refusal")))
    if says_something(refusal):
        return Silence("refused", f"the model refused: {one_line(refusal[:LONGEST_REFUSAL])}")
    if finish in WITHHELD:
        return Silence("filtered", f"the provider withheld it (finish reason {finish_reason!r})")
    reasoning = _reasoning(message)
    if finish in CUT_FOR_LENGTH:
        return _cut_for_length(text, reasoning)
    answer = answer_in_reasoning(reasoning)
    if answer:
        return answer
    if message.get("tool_calls"):
        return Silence("tool_call", "the model called a tool in place of answering")
    if "<think" in text.lower():
        return Silence("empty", "reasoning never ended: the reply holds reasoning only")
    if says_something(reasoning) or text.strip():
        return Silence("empty", "empty answer: the reply holds reasoning only")
    return Silence("empty", "empty answer")


def _cut_for_length(text: str, reasoning: str) -> Silence:
    if reasoning.strip() or text.strip():
        return Silence(
            "truncated",
            "cut at max_tokens while reasoning: raise generate.max_tokens "
            "or lower the reasoning effort",
        )
    return Silence("truncated", "cut at max_tokens before the answer began")


def _reasoning(message: Mapping[str, Any]) -> str:
    """Return the first field for reasoning that holds text."""
    for name in REASONING_FIELDS:
        value = message.get(name)
        if isinstance(value, str) and value.strip():
            return valid_text(value)
    return ""


def text_of(content: Any) -> str:
    """Return the text of a message's content: a text, null, or a list of parts.

    Parts that are no text, such as a model's thinking, are left out. Raises CallError, `malformed`,
    for content of another type.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and not isinstance(content, bytes):
        return "".join(_text_of_part(part) for part in content)
    message = f"the answer's content is {type(content).__name__} instead of text"
    raise CallError("malformed", message, billed=True)


def _text_of_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, dict) else getattr(part, "text", None)
    return text if isinstance(text, str) else ""
