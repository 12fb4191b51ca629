"""What the mock server answers, and what it counts as tokens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tasks.fingerprint import fingerprint, unit
from tests.support.replayed import replay
from tests.support.server_state import Behaviour, ServerState

_WORDS = (
    "slow",
    "honest",
    "again",
    "friends",
    "rainy",
    "evening",
    "work",
    "maybe",
    "the",
    "film",
    "was",
    "and",
    "I",
    "liked",
    "it",
)


def complete(
    body: dict[str, Any], behaviour: Behaviour, fault: str | None, state: ServerState
) -> dict[str, Any]:
    """Return a chat completion for a request body. The same body always gets the same text."""
    if behaviour.answers == "recorded":
        text = replay(Path(behaviour.folder), body)
    else:
        text = _shaped(body, behaviour) or _text(body, behaviour)
    finish = "stop"
    if fault == "repeat" and state.last_answer:
        text = state.last_answer
    if fault == "length":
        text, finish = text[: len(text) // 2], "length"
    if fault == "filter":
        text, finish = "", "content_filter"
    state.last_answer = text
    usage = count(body, text, behaviour)
    return {
        # so that an answer that was kept can be found in the bill
        "id": f"chatcmpl-{fingerprint(body)}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": f"{body['model']}-0001",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        ],
        "usage": usage,
    }


def with_fields(completion: dict[str, Any], odd: dict[str, Any]) -> dict[str, Any]:
    """Return a completion with the fields of an odd reply in place of its own."""
    fields, (choice,) = dict(odd["fields"]), completion["choices"]
    choice["message"].update(fields.pop("message", {}))
    choice.update(fields.pop("choice", {}))
    return {**completion, **fields}


def _shaped(body: dict[str, Any], behaviour: Behaviour) -> str:
    """Return an answer in the shape that is asked for, if the server obeys that."""
    asked = body.get("response_format") or {}
    if asked.get("type") == "json_object" and behaviour.json_object:
        said = _text(body, behaviour)
        return said if said.startswith("{") else '{"hello": "there"}'
    if asked.get("type") != "json_schema" or behaviour.schema == "ignored":
        return ""
    whole = asked["json_schema"]["schema"]["properties"]
    if "text" in whole:
        return json.dumps({"text": _said(whole["text"], behaviour)})
    turns = whole["turns"]
    entries = turns.get("prefixItems") or [turns["items"]] * turns["minItems"]
    spoken = []
    for number, entry in enumerate(entries):
        properties = entry["properties"]
        roles = sorted(properties["role"]["enum"], reverse=True)
        text = _said(properties["text"], behaviour)
        spoken.append({"role": roles[number % len(roles)], "text": text})
    return json.dumps({"turns": spoken})


def _said(schema: dict[str, Any], behaviour: Behaviour) -> str:
    """Return the text of a turn, with the items that its pattern asks for if the server sees it."""
    due = re.findall(r"\*(\\\{\\\{item:\d\\\}\\\})", schema.get("pattern", ""))
    named = [place.replace("\\", "") for place in due if behaviour.schema == "whole"]
    return " ".join(["Hello", *named])


def _text(body: dict[str, Any], behaviour: Behaviour) -> str:
    if behaviour.answers == "prose":
        return "Hello, it is good to see you."
    if behaviour.answers == "mock":
        from tasks.mock_model import write

        return write(body["messages"], seed=None, misbehave={}).text
    seed = fingerprint(body["messages"])
    words = [
        _WORDS[int(unit(behaviour.seed, seed, i) * len(_WORDS))]
        for i in range(behaviour.words // 8)
    ] * 8
    half = len(words) // 2
    turns = [
        {"role": "user", "text": " ".join(words[:half])},
        {"role": "agent", "text": " ".join(words[half:])},
    ]
    return json.dumps({"turns": turns})


def count(body: dict[str, Any], text: str, behaviour: Behaviour) -> dict[str, int]:
    """Return the usage block of an answer."""
    if behaviour.tokens == "exact":
        import litellm

        prompt = litellm.token_counter(model=body["model"], messages=body["messages"])
        completion = litellm.token_counter(model=body["model"], text=text) if text else 0
    else:
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4
        completion = len(text) // 4
    prompt = min(prompt, behaviour.window or prompt)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
