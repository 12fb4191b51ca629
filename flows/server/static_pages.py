"""Serves what people look at on loopback, so that links in the Prefect UI open in a browser.

That is Data Docs, reports, release cards, and the browser over the dialogues, to which rules and
ids on those pages lead. Nothing can be changed through it.
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from flows.server.login import SERVER_LOGIN, allowed_hosts
from tasks.addresses import LOOPBACK_HOSTS
from tasks.settings import Home
from tasks.web import LocalGuard

FOLDERS = ("docs", "reports", "releases")
READING = frozenset({"GET", "HEAD"})
ADDRESS = "REDIAL_PAGES_URL"
PATIENCE_S = 2.0
# No page that is served has a script; Data Docs and reports have their styles within.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def pages_app(home: Home, login: str = "", hosts: Sequence[str] = ()) -> Starlette:
    """Return a web application that serves the data folder's pages and nothing else of it.

    Args:
        home: has the data folder.
        login: user:password to ask for, the Prefect server's; no login is asked for if it is empty.
        hosts: names it may be reached by besides loopback.
    """
    for name in FOLDERS:
        (home.data / name).mkdir(parents=True, exist_ok=True)

    from tasks.reports import (  # here, as every flow imports this module for its addresses
        browser_app,
        render_served_index,
    )

    def listing(_: Request) -> Response:
        return HTMLResponse(render_served_index(home))

    mounts = [
        Mount(f"/{name}", _PageFiles(directory=home.data / name, html=True)) for name in FOLDERS
    ]
    asking = [Middleware(_AskLogin, login=login)] if login else []
    guard = Middleware(LocalGuard, hosts=hosts, headers=HEADERS)
    routes = [Route("/", listing), *mounts, Mount("/", browser_app(home, hosts, marking=False))]
    return Starlette(routes=routes, middleware=[guard, *asking, Middleware(_OnlyRead)])


def address_of(home: Home, page: Path) -> str:
    """Return the address under which a page opens.

    It is on the pages server that the environment names, if that runs, else the file's path.
    """
    served = os.environ.get(ADDRESS, "")
    if page.is_relative_to(home.data) and _is_served(served):
        return f"{served.rstrip('/')}/{_path(home, page)}"
    return str(page)


def _is_served(address: str) -> bool:
    """Return False if no server listens there.

    Another machine counts as listening: people may reach what a worker does not.
    """
    try:
        place = urlsplit(address)
        if place.hostname not in LOOPBACK_HOSTS:
            return bool(place.hostname)
        with socket.create_connection((place.hostname, place.port or 80), timeout=PATIENCE_S):
            return True
    except (OSError, ValueError):
        return False


def browse_address(domain: str) -> dict[str, str]:
    """Return under `browse` where a domain's dialogues can be looked through.

    There is nothing where no pages server runs.
    """
    served = os.environ.get(ADDRESS, "")
    return {"browse": f"{served.rstrip('/')}/domains/{domain}"} if _is_served(served) else {}


def _path(home: Home, page: Path) -> str:
    return quote(page.relative_to(home.data).as_posix())


class _PageFiles(StaticFiles):
    """Serves files, with rules and dialogues linked to the browser.

    A page that is opened as a file has no such links.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or an error's response."""
        answer = await super().get_response(path, scope)
        if not isinstance(answer, FileResponse) or answer.media_type != "text/html":
            return answer
        page = await run_in_threadpool(Path(answer.path).read_bytes)
        return HTMLResponse(page.replace(b" data-browse=", b" href="), answer.status_code)


class _OnlyRead:
    """Refuses whatever is no reading of a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READING:
            refusal = PlainTextResponse(
                "nothing can be changed here", 405, {"Allow": ", ".join(sorted(READING))}
            )
            return await refusal(scope, receive, send)
        await self._app(scope, receive, send)


class _AskLogin:
    """Lets requests through that carry the one user and password."""

    def __init__(self, app: ASGIApp, login: str) -> None:
        self._app = app
        self._wanted = b"Basic " + base64.b64encode(login.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or secrets.compare_digest(
            headers.get(b"authorization", b""), self._wanted
        ):
            return await self._app(scope, receive, send)
        refusal = PlainTextResponse(
            "Authentication required", 401, {"WWW-Authenticate": 'Basic realm="llm-redial"'}
        )
        await refusal(scope, receive, send)


def main(port: int, data: Path, address: str = "127.0.0.1") -> None:
    """Serve the pages of a data folder until ended.

    On loopback, unless another address of this machine is given.
    """
    import uvicorn

    app = pages_app(Home.find(data), os.environ.get(SERVER_LOGIN, ""), allowed_hosts())
    uvicorn.run(app, host=address, port=port, log_level="error")


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
