"""The real local model behind an OpenAI-compatible server on loopback: /v1/chat/completions with `response_format`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tasks.local_model import Batcher, Sampling, Written


class LocalServer:
    """Answers chat requests with one local model; those in flight together in one batch.

    `schemas` counts the requests that carried a JSON schema.
    """

    def __init__(self, model: str) -> None:
        self._batcher = Batcher(model)
        self.asked = self.schemas = 0

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked += 1
        wanted = (body.get("response_format") or {}).get("json_schema")
        self.schemas += wanted is not None
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        sampling = Sampling(
            float(body.get("temperature", 0.7)),
            float(body.get("top_p", 0.95)),
            int(body.get("max_tokens", 1024)),
            1.15,
        )
        written = await self._batcher.write(
            body["messages"],
            wanted["schema"] if wanted else None,
            sampling,
            order=digest,
            seed=int(digest[:16], 16),
        )
        return web.json_response(_completion(written, digest))


def _completion(written: Written, digest: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{digest[:20]}",
        "object": "chat.completion",
        "created": 0,
        "model": written.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": written.text},
                "finish_reason": "length" if written.cut_off else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": written.prompt_tokens,
            "completion_tokens": written.completion_tokens,
            "total_tokens": written.prompt_tokens + written.completion_tokens,
        },
    }


@asynccontextmanager
async def local_server(model: str) -> AsyncIterator[tuple[LocalServer, str]]:
    """Serve a model; yields the server and its address, ending in /v1."""
    server = LocalServer(model)
    application = web.Application(client_max_size=8 << 20)
    application.router.add_post("/v1/chat/completions", server.complete)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield server, f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()
