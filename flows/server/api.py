"""A Prefect server's REST interface."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from flows.server.login import CLIENT_LOGIN, SERVER_LOGIN
from tasks.errors import UserError
from tasks.polling import wait_until

BUSY_TRIES = 10
BUSY_PAUSE_S = 1.0


class RetryingTransport(httpx.HTTPTransport):
    """Asks again when the server's database is busy, as Prefect's own client does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request up to BUSY_TRIES times."""
        for _ in range(BUSY_TRIES - 1):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            answer.close()
            time.sleep(BUSY_PAUSE_S)
        return super().handle_request(request)


@dataclass(frozen=True)
class ServerApi:
    """A Prefect server's REST interface."""

    client: httpx.Client

    @classmethod
    def at(cls, address: str, login: str = "") -> ServerApi:
        """Talk to a server.

        `login` is Prefect's basic-auth string, user:password, if it asks for one.
        """
        user, _, password = login.partition(":")
        return cls(
            httpx.Client(
                base_url=address,
                timeout=30,
                auth=(user, password) if user else None,
                transport=RetryingTransport(),
            )
        )

    def check_login(self) -> None:
        """Raise UserError when the server does not let us in."""
        if self.client.get("/admin/version").status_code == httpx.codes.UNAUTHORIZED:
            raise UserError(
                f"the Prefect server asks for a login: set {CLIENT_LOGIN} to its {SERVER_LOGIN}"
            )


def wait_for_server(
    client: httpx.Client, path: str, seconds: float, alive: Callable[[], bool]
) -> bool:
    """Ask a server until it answers a path with 200, and return True if it does.

    Args:
        client: knows the server's address.
        path: what is asked for.
        seconds: how long to go on asking.
        alive: returns False once asking makes no sense any more, as when the server's process has
            ended.
    """
    up = False

    def answers_or_ended() -> bool:
        nonlocal up
        up = _answers(client, path)
        return up or not alive()

    wait_until(answers_or_ended, seconds)
    return up


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
