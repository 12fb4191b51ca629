"""A provider's reply as values that every later stage can trust.

Each field of a reply is untrusted: it may be of any JSON type, of any size, and hold text that is
not valid Unicode. What leaves this module is text that UTF-8 can encode, token counts that are
whole numbers or unknown, and identifiers of a bounded length.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from tasks.llm.errors import CallError, Kind, is_out_of_credit
from tasks.llm.reply_outcome import Silence, read_outcome, text_of
from tasks.llm.token_details import NO_DETAILS, TokenDetails, token_details
from tasks.redaction import one_line
from tasks.storable_text import valid_text

LONGEST_NAME = 200  # characters kept of a model's name or a reply's id
MAX_TOKENS = 10**12  # of any count that is stored
SHOWN_OF_BODY = 200  # bytes of a reply that is no JSON
LONGEST_REASON = 40  # characters kept of a finish reason


@dataclass(frozen=True)
class Reply:
    """What a model said, checked.

    Attributes:
        prompt_tokens, completion_tokens: None where the provider gave no number that can be one.
        cost_usd: litellm's own figure; None when it has none.
        details: parts of the tokens that have a price of their own.
    """

    text: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str
    provider_id: str
    cost_usd: float | None = None
    details: TokenDetails = NO_DETAILS


# Of a call that was billed and brought nothing usable.
NO_REPLY = Reply("", "", None, None, "", "")


class UnusableReply(CallError):
    """A reply that arrived, is billed and says nothing; `reply` holds its counts and no text."""

    def __init__(self, kind: Kind, message: str, reply: Reply) -> None:
        super().__init__(kind, message, billed=True)
        self.reply = reply


def make_reply(
    *,
    message: Mapping[str, Any],
    finish_reason: Any,
    prompt_tokens: Any,
    completion_tokens: Any,
    model: Any,
    provider_id: Any,
    cost_usd: Any = None,
    details: TokenDetails = NO_DETAILS,
    max_bytes: int,
) -> Reply:
    """Return a checked reply.

    `message` is the choice's message: content, and where the provider sends them
    reasoning_content or reasoning, refusal and tool_calls. `finish_reason` is the provider's own,
    before litellm maps it; `max_bytes` the longest text in UTF-8.

    Raises:
        CallError: `oversized` when the text is longer than `max_bytes`, `malformed` when it is not
            text.
        UnusableReply: the reply says nothing; its kind is why.
    """
    text = valid_text(text_of(message.get("content")))
    if len(text.encode()) > max_bytes:
        raise oversized(max_bytes)
    reply = Reply(
        text=text,
        finish_reason=short_name(finish_reason, LONGEST_REASON),
        prompt_tokens=token_count(prompt_tokens),
        completion_tokens=token_count(completion_tokens),
        model=short_name(model, LONGEST_NAME),
        provider_id=short_name(provider_id, LONGEST_NAME),
        cost_usd=amount(cost_usd),
        details=details,
    )
    outcome = read_outcome(text, message, reply.finish_reason)
    if isinstance(outcome, Silence):
        raise UnusableReply(outcome.kind, outcome.reason, replace(reply, text=""))
    if len(outcome.encode()) > max_bytes:
        raise oversized(max_bytes)
    return replace(reply, text=outcome)


def reply_of_body(body: Any, max_bytes: int) -> Reply:
    """Return the checked reply in the JSON data of a chat completion, OpenAI's or Ollama's.

    Raises what `make_reply` does, and KeyError, IndexError, TypeError, AttributeError or ValueError
    for data of another shape.
    """
    if "choices" not in body and "done_reason" in body:
        body = _as_openai(body)
    choice, usage = body["choices"][0], body.get("usage") or {}
    return make_reply(
        message=dict(choice["message"]),
        finish_reason=choice.get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        model=body.get("model"),
        provider_id=body.get("id"),
        details=token_details(usage),
        max_bytes=max_bytes,
    )


def _as_openai(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of Ollama's own API in the shape of OpenAI's."""
    choice = {"message": body["message"], "finish_reason": body["done_reason"]}
    usage = {
        "prompt_tokens": body.get("prompt_eval_count"),
        "completion_tokens": body.get("eval_count"),
    }
    return {"choices": [choice], "usage": usage, "model": body.get("model")}


def error_in_body(body: bytes) -> CallError | None:
    """Return what a body with a good status holds in place of an answer; None if that is not known.

    It may be no JSON, or an error as an object or as a text (LM Studio), and credit may be what is
    missing (OpenRouter).
    """
    try:
        error = json.loads(body)["error"]
    except json.JSONDecodeError:
        shown = body[:SHOWN_OF_BODY].decode("utf-8", "replace")
        return CallError("malformed", one_line(f"the reply is no JSON: {shown}"), billed=True)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    fields = error if isinstance(error, Mapping) else {"message": error}
    message, code = fields.get("message"), fields.get("code")
    if not isinstance(message, str) or not message.strip():
        return None
    is_spent = code == HTTPStatus.PAYMENT_REQUIRED or is_out_of_credit(code, message)
    said = one_line(f"an error in place of an answer: {message}")
    return CallError("fatal" if is_spent else "malformed", said, billed=True)


def oversized(max_bytes: int) -> CallError:
    """Return the error for an answer longer than the cap; the provider bills it all the same."""
    message = (
        f"the answer is longer than generate.limits.max_answer_bytes ({max_bytes:,}) "
        "and was cut off"
    )
    return CallError("oversized", message, billed=True)


def short_name(value: Any, longest: int) -> str:
    """Return a provider's name for something as text of a bounded length.

    Other JSON types are returned as JSON.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return valid_text(value[:longest])
    try:
        return valid_text(json.dumps(value)[:longest])
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def token_count(value: Any) -> int | None:
    """Return a token count, or None for what cannot be one.

    Another type, and a negative, fractional or huge number cannot.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if 0 <= value <= MAX_TOKENS else None


def amount(value: Any) -> float | None:
    """Return dollars, or None for what cannot be an amount."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        dollars = float(value)
    except OverflowError:
        return None
    return dollars if math.isfinite(dollars) and dollars >= 0 else None
