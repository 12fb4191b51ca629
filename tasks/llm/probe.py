"""Finds out what a model and its server can do, with at most three answers.

1. A schema that the words contradict: what comes shows whether it is obeyed, in which form.
2. If it is not, the same with any JSON object.
3. A long prompt: whether all of it is read, told by the tokens that the server counts.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from typing import Any

import httpx

from tasks.llm.errors import TRANSIENT, CallFailed
from tasks.llm.model_catalogue import takes_schema
from tasks.llm.model_facts import ModelFacts, window_in, window_listed
from tasks.llm.requests import endpoint
from tasks.llm.session import Session
from tasks.llm.structured_output import Form, form_of
from tasks.llm.usage import CHARACTERS_PER_TOKEN
from tasks.llm.values import BROKEN_OFF, Answer, Ask, Message
from tasks.llm.write_ahead_log import WriteAheadLog
from tasks.model_output import message_text
from tasks.settings import Generate

PROBE = "probe"  # in place of a dialogue's id
ITEM = "{{item:1}}"
_SHAPE: tuple[Message, ...] = (
    {"role": "user", "content": "Say hello in one short sentence. Plain text, please, not JSON."},
)


def _turn(role: str, pattern: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "role": {"type": "string", "enum": [role]},
            "text": {"type": "string", "pattern": pattern},
        },
        "required": ["role", "text"],
        "additionalProperties": False,
    }


_TURNS = [
    _turn("user", r"^[a-zA-Z ,.!]*\{\{item:1\}\}[a-zA-Z ,.!]*$"),
    _turn("agent", "^[a-zA-Z ,.!]+$"),
]
# Of the kind that `tasks.prompts` makes from a template.
_SCHEMA: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "dialogue",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "turns": {"type": "array", "prefixItems": _TURNS, "minItems": 2, "maxItems": 2}
            },
            "required": ["turns"],
            "additionalProperties": False,
        },
    },
}
_BEGUN = re.compile(r'\s*\{\s*"turns"\s*:\s*\[\s*\{\s*"role"\s*:\s*"user"')
_STRICTEST_FIRST: tuple[Form, ...] = ("json_schema", "json_schema_plain", "json_object", "off")
_LINE = "The film was long and slow, but the music and the people in it were good to be with. "
LIST_TIMEOUT_S = 5.0
MOST_LIST_BYTES = 2_000_000
LONG_CHARACTERS = 24_000  # about 6,000 tokens: over the smallest windows in use, 2,048 and 4,096
# English has 3.5 to 5 characters a token; a window of 4,096 leaves 0.68 of the forecast.
LEAST_SHARE_READ = 0.72


async def probe_model(session: Session, journal: WriteAheadLog) -> ModelFacts:
    """Ask a model what it can do.

    Args:
        session: with the settings that dialogues would be asked with; it is spoilt for others.
        journal: where the answers are logged, so that they count as paid.

    Raises:
        CallFailed: the server does not answer.
        RunStopped, UserError: the model cannot be asked at all.
    """
    settings = session.generate
    ask = session.ask_for(PROBE, 1, journal)
    window = await named_window(settings)
    facts = ModelFacts(context_tokens=window, window_from="server" if window else "")
    facts = await _find_form(session, ask, facts, settings)
    session.generate = settings
    if window is None:
        facts = await _find_window(ask, facts)
    return facts


async def _find_form(
    session: Session, ask: Ask, facts: ModelFacts, settings: Generate
) -> ModelFacts:
    first: Form = "json_schema_plain" if takes_schema(settings.model) else "json_schema"
    forms: tuple[Form, ...] = (first, "json_object")
    for form in forms:
        session.generate = settings.model_copy(update={"structured_output": form})
        try:
            answer = await ask(_SHAPE, response_format=_SCHEMA)
        except CallFailed as failure:
            if failure.kind in TRANSIENT:
                raise
            return facts.with_problem(failure.message)
        facts = facts.seen(answer)
        found = weaker(shape_of(answer), form_of(session.generate))
        if found != "off":
            return replace(facts, structured_output=found)
    return facts


async def _find_window(ask: Ask, facts: ModelFacts) -> ModelFacts:
    """Send a long prompt that no cache can hold a part of, and see how much of it is counted."""
    text = f"{uuid.uuid4()}\n" + _LINE * (LONG_CHARACTERS // len(_LINE))
    asked = f"{text}\nIs this text about a film? Answer yes or no."
    try:
        answer = await ask(({"role": "user", "content": asked},))
    except CallFailed as failure:
        window = window_in(failure.message)
        if window is not None:
            return replace(facts, context_tokens=window, window_from="error")
        return facts.with_problem(failure.message)
    facts = facts.seen(answer)
    forecast = len(asked) / CHARACTERS_PER_TOKEN
    if answer.usage_estimated or answer.prompt_tokens >= LEAST_SHARE_READ * forecast:
        return facts
    line = (
        f"the server cut a prompt of about {forecast:,.0f} tokens to {answer.prompt_tokens:,}: "
        "raise its context window (Ollama: generate.extra num_ctx, or OLLAMA_CONTEXT_LENGTH)"
    )
    facts = replace(facts, context_tokens=answer.prompt_tokens, window_from="tokens counted")
    return facts.with_problem(line)


async def named_window(generate: Generate) -> int | None:
    """Return the context window that a server of one's own names in its list of models.

    No key is sent, and a server without such a list names none.
    """
    base = endpoint(generate)
    if base is None:
        return None
    try:
        async with (
            httpx.AsyncClient(timeout=LIST_TIMEOUT_S) as client,
            client.stream("GET", f"{base.rstrip('/')}/models") as response,
        ):
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MOST_LIST_BYTES:
                    return None
        return window_listed(json.loads(body), generate.model.partition("/")[2])
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError):
        return None


def shape_of(answer: Answer) -> Form:
    """Return the strictest form that an answer to the contradicted schema shows."""
    text = message_text(answer.text)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        # An engine without an end in its grammar may go on until max_tokens.
        is_begun = answer.finish_reason in BROKEN_OFF and _BEGUN.match(text)
        return _with_item(text) if is_begun else "off"
    turns = content.get("turns") if isinstance(content, dict) else None
    if isinstance(turns, list) and [_role(turn) for turn in turns] == ["user", "agent"]:
        return _with_item(text)
    return "json_object" if isinstance(content, dict) else "off"


def _with_item(text: str) -> Form:
    return "json_schema" if ITEM in text else "json_schema_plain"


def _role(turn: Any) -> Any:
    return turn.get("role") if isinstance(turn, dict) else None


def weaker(one: Form, other: Form) -> Form:
    """Return the form that says less."""
    return max(one, other, key=_STRICTEST_FIRST.index)
