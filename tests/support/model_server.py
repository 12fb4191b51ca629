"""A small OpenAI-compatible server for tests: chat completions, files, batches, limits, faults, and a bill.

`python -m tests.support.model_server --port 0 --set '{"latency_s": 0.5}'` prints `port N` and runs
until it is ended.
`GET /tally` returns what was counted, `POST /behave` changes the behaviour, `POST /reset` forgets
the counts.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import email.utils
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tasks.fingerprint import fingerprint, unit
from tests.support import server_answers, server_batches, server_dialects
from tests.support.server_state import Behaviour, ServerState

STATE = web.AppKey("state", ServerState)


def error(
    status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an error as OpenAI words it."""
    body = {"error": {"message": message, "type": "mock_error", "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


async def chat(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    return await answer(request, json.loads(await request.read()))


async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer a chat completion's body, counting it."""
    state = request.app[STATE]
    state.tally.requests += 1
    state.tally.in_flight += 1
    state.tally.most_in_flight = max(state.tally.most_in_flight, state.tally.in_flight)
    try:
        return await _chat(request, state, body)
    finally:
        state.tally.in_flight -= 1


async def _chat(
    request: web.Request, state: ServerState, body: dict[str, Any]
) -> web.StreamResponse:
    behaviour, key = state.behaviour, fingerprint(body)
    refusal = _refused(request, state, body)
    if refusal is not None:
        return refusal
    fault = state.fault_for(key)
    if fault is not None:
        state.tally.faults[fault] += 1
        failed = await _fail(request, behaviour, fault)
        if failed is not None:
            return failed
    odd = state.odd_reply_for(key, body)
    if odd is not None and odd["status"] >= 300:
        state.tally.faults[str(odd["status"])] += 1
        return web.Response(
            body=base64.b64decode(odd["body"]), status=odd["status"], headers=odd["headers"]
        )
    completion = server_answers.complete(body, behaviour, fault, state)
    limited = _admit(state, completion["usage"], body)
    if limited is not None:
        return limited
    _bill(state, key, completion["usage"])
    wait = (
        behaviour.latency_s
        + behaviour.jitter_s * unit(behaviour.seed, key, "jitter")
        + (behaviour.late_s if fault == "late" else 0)
    )
    if wait:
        await asyncio.sleep(wait)
    if odd is not None:
        return await _send_odd(request, state, completion, odd)
    if behaviour.body is not None:
        return web.Response(
            body=behaviour.body.encode("utf-8", "surrogatepass"), content_type="application/json"
        )
    if behaviour.endless:
        return await _send_endlessly(request, state, behaviour.endless)
    return web.json_response(completion)


async def _send_odd(
    request: web.Request, state: ServerState, completion: dict[str, Any], odd: dict[str, Any]
) -> web.StreamResponse:
    """Send an odd reply, or a good completion with some of its fields replaced."""
    if odd["endless"]:
        return await _send_endlessly(request, state, odd["endless"])
    headers = {"Content-Type": "application/json", **odd["headers"]}
    if odd["body"] is not None:
        return web.Response(body=base64.b64decode(odd["body"]), headers=headers)
    changed = server_answers.with_fields(completion, odd)
    return web.Response(body=json.dumps(changed).encode(), headers=headers)


async def _send_endlessly(
    request: web.Request, state: ServerState, encoding: str
) -> web.StreamResponse:
    """Send a body without an end until the client has enough of it, or after 300 MB."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    packer = zlib.compressobj(wbits=31)
    if encoding == "gzip":
        response.headers["Content-Encoding"] = "gzip"
    await response.prepare(request)
    piece = b" " * 1_000_000
    for _ in range(300):
        chunk = packer.compress(piece) if encoding == "gzip" else piece
        try:
            await response.write(chunk)
        except (ConnectionError, OSError):
            return response
        state.tally.sent_bytes += len(piece)
    return response


def _refused(request: web.Request, state: ServerState, body: dict[str, Any]) -> web.Response | None:
    behaviour = state.behaviour
    named = request.headers.get("x-api-key") or request.headers.get("api-key")
    sent = named or request.headers.get("Authorization", "").removeprefix("Bearer ")
    state.tally.keys_seen.add(sent)
    if behaviour.key is not None and sent != behaviour.key:
        return error(401, f"Incorrect API key provided: {sent}", "invalid_api_key")
    if behaviour.models is not None and body["model"] not in behaviour.models:
        return error(404, f"The model `{body['model']}` does not exist", "model_not_found")
    size = sum(len(str(message["content"])) for message in body["messages"]) // 4
    if behaviour.refuse_long and size > (behaviour.window or size):
        return error(
            400,
            f"This model's maximum context length is {behaviour.window} tokens. However, you "
            f"requested {size} tokens. Please reduce the length of the messages.",
        )
    if behaviour.down:
        return error(503, "The server is down")
    return None


def _too_many(headers: dict[str, str] | None = None) -> web.Response:
    return error(429, "Rate limit reached", "rate_limit_exceeded", headers)


def _date_after(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


# Errors by the name of their fault, each made of the seconds a client is asked to wait.
ERRORS: dict[str, Callable[[float], web.Response]] = {
    "429": lambda after: _too_many(),
    "429_after": lambda after: _too_many({"Retry-After": str(after)}),
    "429_date": lambda after: _too_many({"Retry-After": _date_after(after)}),
    "quota": lambda after: error(429, "You exceeded your current quota", "insufficient_quota"),
    "500": lambda after: error(500, "The server had an error"),
    "503": lambda after: error(503, "The server had an error"),
}


async def _fail(
    request: web.Request, behaviour: Behaviour, fault: str
) -> web.StreamResponse | None:
    if fault in ERRORS:
        return ERRORS[fault](behaviour.retry_after_s)
    if fault == "reset":
        transport = request.transport
        if transport is not None:
            transport.abort()
        raise asyncio.CancelledError
    if fault == "hang":
        await asyncio.sleep(3600)
    if fault == "malformed":
        return web.Response(
            text='{"id": "chatcmpl-1", "choices": [{"mess', content_type="application/json"
        )
    if fault == "empty":
        return web.json_response(
            {"id": "x", "object": "chat.completion", "model": "m", "choices": []}
        )
    return None


def _admit(state: ServerState, usage: dict[str, int], body: dict[str, Any]) -> web.Response | None:
    now, behaviour = time.monotonic(), state.behaviour
    held = (
        usage["prompt_tokens"] + int(body.get("max_tokens") or 0)
        if behaviour.reserve
        else usage["total_tokens"]
    )
    if not state.requests_window.fits(1, now) or not state.tokens_window.fits(held, now):
        state.tally.refused += 1
        state.tally.refused_at.append(time.time())
        return error(429, "Rate limit reached", "rate_limit_exceeded")
    state.requests_window.admit(1, now)
    state.tokens_window.admit(held, now)
    return None


def _bill(state: ServerState, key: str, usage: dict[str, int]) -> None:
    state.tally.billed += 1
    state.tally.billed_keys[key] += 1
    state.tally.admitted_at.append(time.time())
    state.tally.admitted_tokens.append(usage["total_tokens"])
    state.tally.prompt_tokens += usage["prompt_tokens"]
    state.tally.completion_tokens += usage["completion_tokens"]


async def models(request: web.Request) -> web.Response:
    """GET /v1/models, as vLLM words it."""
    behaviour = request.app[STATE].behaviour
    window = behaviour.window if behaviour.list_window else None
    named = behaviour.models or ("mine",)
    listed = [{"id": name, "object": "model", "max_model_len": window} for name in named]
    return web.json_response({"object": "list", "data": listed})


async def tally(request: web.Request) -> web.Response:
    """GET /tally."""
    return web.json_response(request.app[STATE].tally.as_json())


async def count(request: web.Request) -> web.Response:
    """GET /count: how many answers were billed."""
    return web.json_response(request.app[STATE].tally.billed)


async def behave(request: web.Request) -> web.Response:
    """POST /behave: changes by name."""
    state = request.app[STATE]
    state.change(state.behaviour.with_(await request.json()))
    return web.json_response({})


async def reset(request: web.Request) -> web.Response:
    """POST /reset."""
    request.app[STATE].reset()
    return web.json_response({})


def make_app(behaviour: Behaviour) -> web.Application:
    """Return the server as an aiohttp application."""
    app = web.Application(client_max_size=1 << 30)
    app[STATE] = ServerState(behaviour)
    app.add_routes(
        [
            web.post("/v1/chat/completions", chat),
            web.get("/v1/models", models),
            web.get("/tally", tally),
            web.get("/count", count),
            web.post("/behave", behave),
            web.post("/reset", reset),
            *server_batches.routes(app[STATE]),
            *server_dialects.routes(answer),
        ]
    )
    return app


async def serve(behaviour: Behaviour, port: int) -> tuple[web.AppRunner, int]:
    """Start the server on loopback and return its runner and port."""
    runner = web.AppRunner(
        make_app(behaviour), access_log=None, handler_cancellation=False, shutdown_timeout=0.5
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    return runner, runner.addresses[0][1]


async def _main(behaviour: Behaviour, port: int) -> None:
    _, chosen = await serve(behaviour, port)
    print(f"port {chosen}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--set", type=json.loads, default={}, help="behaviour as JSON")
    chosen = parser.parse_args()
    asyncio.run(_main(Behaviour(**chosen.set), chosen.port))
