"""Registers what is to be run on a Prefect server: every deployment of prefect.yaml, and one for each further domain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from flows.server.login import CLIENT_LOGIN, SERVER_LOGIN
from tasks.errors import UserError
from tasks.settings import Home

PATTERN = "demo"  # the deployment others are modelled on


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


def all_deployments(home: Home) -> dict[str, Any]:
    """Return prefect.yaml's content with one more deployment for every domain file that it does not name.

    Raises:
        UserError: prefect.yaml is not there or not valid YAML.
    """
    try:
        content: dict[str, Any] = yaml.safe_load((home.project / "prefect.yaml").read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{home.project / 'prefect.yaml'} cannot be read: {error}") from None
    content.pop("definitions", None)  # only anchors, which YAML has put in place by now
    known = {entry["name"] for entry in content["deployments"]}
    pattern = next(entry for entry in content["deployments"] if entry["name"] == PATTERN)
    for domain in sorted(set(home.domain_files()) - known):
        more = {"name": domain, "description": f"Build the domain {domain}.", "tags": ["redial"], "parameters": {"domain": domain}}
        content["deployments"].append({**deepcopy(pattern), **more})
    here = {"prefect.deployments.steps.set_working_directory": {"directory": str(home.project)}}
    content["pull"] = [here, {"flows.unknown_parameters.refuse_unknown_parameters": {}}]
    return content


def put_deployments(home: Home, folder: Path, environment: Mapping[str, str]) -> None:
    """Register every deployment with `prefect deploy --all`. Raises UserError with the log's name when it fails."""
    file, log = folder / "deployments.yaml", folder / "deploy.log"
    file.write_text(yaml.safe_dump(all_deployments(home), sort_keys=False), "utf-8")
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
    with log.open("wb") as out:
        done = subprocess.run(
            command, cwd=home.project, env=dict(environment), stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    if done.returncode:
        raise UserError(f"`prefect deploy --all` failed; see {log}")
