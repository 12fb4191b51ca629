"""A web application for the user of this machine.

It takes requests to loopback names only, has strict headers, and answers mistakes with one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from tasks.errors import UserError
from tasks.web.html import SHARED
from tasks.web.origin_guard import LocalGuard

MAX_FIELDS = 100  # of a form
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" a browser would not name the sender of a form.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def local_app(routes: Sequence[BaseRoute], hosts: Iterable[str] = ()) -> Starlette:
    """Return an application with these routes and the shared style under /shared.

    Only requests to a loopback name, or to one of `hosts`, are taken, and none from a page of
    another origin (tasks/web/origin_guard.py). Every response has HEADERS. A UserError becomes its
    one line, status 400.
    """
    return Starlette(
        routes=[Mount("/shared", StaticFiles(directory=SHARED / "static")), *routes],
        middleware=[Middleware(LocalGuard, hosts=hosts, headers=HEADERS)],
        exception_handlers={UserError: _mistake},
    )


def serve_local(app: Starlette, port: int) -> None:
    """Serve an application on 127.0.0.1 until interrupted. Raises UserError on a used port."""
    import socket

    import uvicorn

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(
                f"port {port} cannot be used ({error.strerror}): choose another with --port"
            ) from None
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


async def read_form(request: Request, most_bytes: int) -> dict[str, list[str]]:
    """Return the fields of a plain form; bytes that are not UTF-8 are replaced.

    Raises UserError if it has more than `most_bytes` bytes or too many fields.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise UserError("this form is too long")
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise UserError("this form has too many fields") from None


async def _mistake(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)
