"""Serves what people look at (Data Docs, reports, release cards) on loopback, so that links in the Prefect UI open in a browser."""

from __future__ import annotations

import base64
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from flows.server.login import SERVER_LOGIN, allowed_hosts
from tasks.settings import Home
from tasks.web import LocalGuard

FOLDERS = {"docs": "*/index.html", "reports": "*/index.html", "releases": "*/*/README.md"}  # and the pages listed of each
ADDRESS = "REDIAL_PAGES_URL"
PATIENCE_S = 2.0
# No page that is served has a script; Data Docs and reports have their styles within.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def pages_app(home: Home, login: str = "", hosts: Sequence[str] = ()) -> Starlette:
    """Return a web application that serves the data folder's pages and nothing else of it.

    Args:
        home: whose data folder.
        login: user:password to ask for, the Prefect server's; nobody is asked if it is empty.
        hosts: names it may be reached by besides loopback.
    """
    for name in FOLDERS:
        (home.data / name).mkdir(parents=True, exist_ok=True)

    async def listing(_: Request) -> Response:
        return HTMLResponse(_listing(home))

    mounts = [Mount(f"/{name}", StaticFiles(directory=home.data / name, html=True)) for name in FOLDERS]
    asking = [Middleware(_AskLogin, login=login)] if login else []
    guard = Middleware(LocalGuard, hosts=hosts, headers=HEADERS)
    return Starlette(routes=[Route("/", listing), *mounts], middleware=[guard, *asking])


def address_of(home: Home, page: Path) -> str:
    """Return the address under which a page opens: on the pages server that the environment names, if it runs, else its file's path."""
    served = os.environ.get(ADDRESS, "")
    if page.is_relative_to(home.data) and _is_served(served):
        return f"{served.rstrip('/')}/{_path(home, page)}"
    return str(page)


def _is_served(address: str) -> bool:
    """Return True unless nobody listens there. Of another machine that cannot be told: people may reach what a worker does not."""
    try:
        place = urlsplit(address)
        if place.hostname not in {"127.0.0.1", "localhost", "::1"}:
            return bool(place.hostname)
        with socket.create_connection((place.hostname, place.port or 80), timeout=PATIENCE_S):
            return True
    except (OSError, ValueError):
        return False


def _path(home: Home, page: Path) -> str:
    return quote(page.relative_to(home.data).as_posix())


def _listing(home: Home) -> str:
    entries = "".join(f'<li><a href="/{_path(home, page)}">{escape(str(page.relative_to(home.data)))}</a></li>' for page in _pages(home))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>llm-redial pages</title><ul>{entries or "No page yet."}</ul></html>'
    )


def _pages(home: Home) -> Iterator[Path]:
    for name, pattern in FOLDERS.items():
        yield from sorted((home.data / name).glob(pattern))


class _AskLogin:
    """Lets requests through that carry the one user and password."""

    def __init__(self, app: ASGIApp, login: str) -> None:
        self._app = app
        self._wanted = b"Basic " + base64.b64encode(login.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or secrets.compare_digest(headers.get(b"authorization", b""), self._wanted):
            return await self._app(scope, receive, send)
        refusal = PlainTextResponse("Authentication required", 401, {"WWW-Authenticate": 'Basic realm="llm-redial"'})
        await refusal(scope, receive, send)


def main(port: int, data: Path) -> None:
    """Serve the pages of a data folder on loopback until ended."""
    import uvicorn

    uvicorn.run(
        pages_app(Home.find(data), os.environ.get(SERVER_LOGIN, ""), allowed_hosts()), host="127.0.0.1", port=port, log_level="error"
    )


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]), Path(sys.argv[2]))
