"""The mock server in other dialects: Anthropic's messages, Ollama's chat, Azure's deployments.

Each is put into OpenAI's words and back.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Answerer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
_STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


def routes(answer: Answerer) -> list[web.RouteDef]:
    """Return the routes; `answer` answers an OpenAI request."""

    async def messages(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        system = body.get("system") or []
        spoken = (
            [{"role": "system", "content": system}]
            if isinstance(system, str)
            else [{"role": "system", "content": part["text"]} for part in system]
        )
        spoken += [
            {"role": message["role"], "content": _text(message["content"])}
            for message in body["messages"]
        ]
        found = await answer(
            request, {"model": body["model"], "messages": spoken, "max_tokens": body["max_tokens"]}
        )
        return _translated(found, _anthropic)

    async def ollama(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        found = await answer(
            request,
            {"model": body["model"], "messages": body["messages"], **body.get("options", {})},
        )
        return _translated(found, _ollama)

    async def azure(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        return await answer(request, {**body, "model": request.match_info["deployment"]})

    return [
        web.post("/v1/messages", messages),
        web.post("/api/chat", ollama),
        web.post("/openai/deployments/{deployment}/chat/completions", azure),
    ]


def _text(content: str | list[dict[str, Any]]) -> str:
    return (
        content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    )


def _translated(
    found: web.StreamResponse, into: Callable[[dict[str, Any]], dict[str, Any]]
) -> web.StreamResponse:
    if not isinstance(found, web.Response) or found.status != 200:
        return found
    return web.json_response(into(json.loads(found.body)))  # type: ignore[arg-type]


def _anthropic(answer: dict[str, Any]) -> dict[str, Any]:
    choice, usage = answer["choices"][0], answer["usage"]
    return {
        "id": answer["id"],
        "type": "message",
        "role": "assistant",
        "model": answer["model"],
        "content": [{"type": "text", "text": choice["message"]["content"]}],
        "stop_reason": _STOPS[choice["finish_reason"]],
        "stop_sequence": None,
        "usage": {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
        },
    }


def _ollama(answer: dict[str, Any]) -> dict[str, Any]:
    choice, usage = answer["choices"][0], answer["usage"]
    return {
        "model": answer["model"],
        "created_at": "2026-01-01T00:00:00Z",
        "message": choice["message"],
        "done": True,
        "done_reason": choice["finish_reason"],
        "prompt_eval_count": usage["prompt_tokens"],
        "eval_count": usage["completion_tokens"],
    }
