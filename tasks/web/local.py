"""A web application for this machine's own user: loopback names only, strict headers, mistakes as one plain line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from tasks.errors import UserError
from tasks.web.guard import LocalGuard
from tasks.web.templates import SHARED

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser would not name the sender of a form
    "Cache-Control": "no-store",
}


def local_app(routes: Sequence[BaseRoute], hosts: Iterable[str] = ()) -> Starlette:
    """Return an application with these routes and the shared style under /shared.

    Only requests to a loopback name, or to one of `hosts`, are taken, and none from a page of another origin (tasks/web/guard.py).
    Every response has HEADERS. A UserError becomes its one line, status 400.
    """
    return Starlette(
        routes=[Mount("/shared", StaticFiles(directory=SHARED / "static")), *routes],
        middleware=[Middleware(LocalGuard, hosts=hosts, headers=HEADERS)],
        exception_handlers={UserError: _mistake},
    )


def serve_local(app: Starlette, port: int) -> None:
    """Serve an application on 127.0.0.1 until interrupted. Raises UserError when the port is taken."""
    import socket

    import uvicorn

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(f"port {port} cannot be used ({error.strerror}): choose another with --port") from None
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


async def _mistake(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)
