"""Reads what a page's form sent."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

from tasks.errors import UserError

MOST_FIELDS = 100


async def read_form(request: Request, most_bytes: int) -> dict[str, list[str]]:
    """Return a plain form's fields; what is no UTF-8 is replaced. Raises UserError when it is longer than so many bytes."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise UserError("this form is too long")
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise UserError("this form has too many fields") from None
