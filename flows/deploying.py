"""A Prefect server's REST interface."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from flows.server.login import CLIENT_LOGIN, SERVER_LOGIN
from tasks.errors import UserError


@dataclass(frozen=True)
class ServerApi:
    """A Prefect server's REST interface."""

    client: httpx.Client

    @classmethod
    def at(cls, address: str, login: str = "") -> ServerApi:
        """Talk to a server; `login` is Prefect's basic-auth string, user:password, if it asks for one."""
        user, _, password = login.partition(":")
        return cls(httpx.Client(base_url=address, timeout=30, auth=(user, password) if user else None))

    def check_login(self) -> None:
        """Raise UserError when the server does not let us in."""
        if self.client.get("/admin/version").status_code == 401:
            raise UserError(f"the Prefect server asks for a login: set {CLIENT_LOGIN} to its {SERVER_LOGIN}")
