"""A web application served on loopback for the length of a block, for a real browser to open."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def served_app(app: Any) -> Iterator[str]:
    """Serve an ASGI application on a port of the system's choice; yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def slowly(app: Any) -> Any:
    """Send the most of every body later than its head, as a busy machine does.

    A browser has the new page, but little of it, in between.
    """

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        async def send_in_two(message: Any) -> None:
            body = message.get("body", b"")
            if message["type"] != "http.response.body" or not body:
                return await send(message)
            head = len(body) // 8
            await send({"type": message["type"], "body": body[:head], "more_body": True})
            await asyncio.sleep(0.3)
            await send({**message, "body": body[head:]})

        await app(scope, receive, send_in_two)

    return slow
