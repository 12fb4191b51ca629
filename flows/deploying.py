"""A Prefect server's REST interface, and the automations put there."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import yaml

from flows.server.login import CLIENT_LOGIN, SERVER_LOGIN
from tasks.errors import UserError
from tasks.settings import Home


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


def put_automations(home: Home, api: ServerApi) -> None:
    """Create the automations of automations.yaml, or bring those of the same name up to date."""
    wanted = yaml.safe_load((home.project / "automations.yaml").read_text("utf-8"))["automations"]
    for automation in wanted:
        found = api.client.post("/automations/filter", json={"automations": {"name": {"any_": [automation["name"]]}}})
        there = found.raise_for_status().json()
        if there:
            answer = api.client.put(f"/automations/{there[0]['id']}", json={**automation, "enabled": there[0]["enabled"]})
        else:
            answer = api.client.post("/automations/", json=automation)
        answer.raise_for_status()
