"""The form by which a person marks a dialogue: what it shows, what it proves, what it sends."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from tasks.errors import UserError
from tasks.marks import LONGEST_NAME, Mark, new_mark
from tasks.web import read_form

# Of one form: a comment of 4,000 characters, each of which may take four bytes written as %XX.
MOST_BYTES = 20_000
NAME_COOKIE = "redial_name"


@dataclass(frozen=True)
class Read:
    """What a person read when they marked it: one attempt of a dialogue, in these words."""

    domain: str
    dialogue_id: str
    attempt: int
    text_hash: str


@dataclass(frozen=True)
class MarkForms:
    """Makes and checks tokens that only pages of this server can hold.

    A token is a keyed hash of what was read. A page of another origin cannot read it (the
    same-origin policy), so that it cannot send a form in a person's name; and a mark is of the
    words that were shown, even when a build has replaced them since.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def token(self, read: Read) -> str:
        """Return the token of what was read."""
        named = "\0".join((read.domain, read.dialogue_id, str(read.attempt), read.text_hash))
        return hmac.new(self.key, named.encode(), "sha256").hexdigest()

    async def take(self, request: Request, domain: str, dialogue_id: str) -> Mark:
        """Return the mark that a form brings.

        Raises:
            UserError: the form is too long, is not from a page of this server, or holds neither a
                mark nor a comment.
        """
        form = await read_form(request, MOST_BYTES)
        number = _first(form, "attempt")
        attempt = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
        read = Read(domain, dialogue_id, attempt, _first(form, "text_hash"))
        if not hmac.compare_digest(_first(form, "token").encode(), self.token(read).encode()):
            raise UserError(
                "this form is not of this server, or the browser was restarted since: "
                "open the dialogue again"
            )
        return new_mark(
            dialogue_id,
            read.attempt,
            read.text_hash,
            mark=_first(form, "mark"),
            comment=_first(form, "comment"),
            who=_first(form, "who"),
        )


def _first(form: Mapping[str, Sequence[str]], name: str) -> str:
    return form.get(name, [""])[0]


def remember_name(answer: Response, who: str) -> None:
    """Have the browser remember a name for the next form; pages of other origins never send it."""
    answer.set_cookie(
        NAME_COOKIE,
        quote(who, safe=""),
        max_age=180 * 86_400,
        path="/domains",
        httponly=True,
        samesite="strict",
    )


def remembered_name(request: Request) -> str:
    """Return the name that the browser remembers, empty for none."""
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(NAME_COOKIE)
    except CookieError:
        return ""
    return unquote(cookie.value)[:LONGEST_NAME] if cookie else ""
