"""Refuses requests from web pages of other origins to a server on loopback.

Three attacks are refused before the application sees them: a foreign host name that resolves to
this machine (DNS rebinding), a request sent by a page of another origin (CSRF, and WebSockets, to
which CORS does not apply), and a page of ours within a frame of another's (clickjacking, by the
headers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
NO_FRAMES = {"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY"}
_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?", re.IGNORECASE | re.ASCII
)
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>.+)")
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused."""

    status: int
    reason: str


FOREIGN_HOST = Refusal(400, "this server is asked by a host name that it does not know")
FOREIGN_ORIGIN = Refusal(403, "this server takes no request from a page of another origin")


class LocalGuard:
    """ASGI middleware that accepts requests to this machine from its own pages or from no page."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        """Guard an application.

        Args:
            app: the application.
            hosts: names it may be reached by besides loopback, such as a reverse proxy's; without a
                port.
            headers: set on each response that does not have them.
        """
        self._app = app
        self._hosts = frozenset(name.lower() for name in hosts)
        self._headers = dict(headers or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or hand the request on."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        refusal = find_refusal(scope, self._hosts)
        if refusal is None:
            return await self._app(scope, receive, self._with_headers(send))
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})
        await PlainTextResponse(refusal.reason, refusal.status)(
            scope, receive, self._with_headers(send)
        )

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    present.setdefault(name, value)
            await send(message)

        return sending


def find_refusal(scope: Scope, hosts: frozenset[str] = frozenset()) -> Refusal | None:
    """Return why a request is refused, or None if it is to be answered.

    A request without an `Origin` is not sent by a script of another page, but a browser may still
    send it for one: it says so in `Sec-Fetch-Site`. Only following a link is taken then.
    """
    headers = Headers(scope=scope)
    named = [_HOST.fullmatch(host) for host in headers.getlist("host")]
    if len(named) != 1 or named[0] is None or named[0]["name"].lower() not in LOOPBACK | hosts:
        return FOREIGN_HOST
    origins = headers.getlist("origin")
    if origins:
        own = all(_is_own(origin, named[0]["port"], hosts) for origin in origins)
        return None if own else FOREIGN_ORIGIN
    reading = scope["type"] == "http" and scope["method"] in _READING
    following = reading and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"} and not following:
        return FOREIGN_ORIGIN
    return None


def _is_own(origin: str, port: str | None, hosts: frozenset[str]) -> bool:
    """Return True if an origin is one of the hosts, or loopback at the port that is asked."""
    parts = _ORIGIN.fullmatch(origin)
    host = _HOST.fullmatch(parts["host"]) if parts else None
    if parts is None or host is None:
        return False
    name = host["name"].lower()
    return name in hosts or (
        name in LOOPBACK and parts["scheme"] == "http" and (host["port"] or "80") == (port or "80")
    )
