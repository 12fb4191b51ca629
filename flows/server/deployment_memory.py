"""What the file said when a deployment was last deployed, kept as a variable of the server.

So every machine that deploys knows it.
"""

from __future__ import annotations

import re

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate

from tasks.fingerprint import fingerprint

REMEMBERED = "redial-deployed-"  # begins the names of the variables
_PLAIN = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)*/[a-z0-9_]+(-[a-z0-9_]+)*")


async def remembered_hashes(client: PrefectClient, name: str) -> dict[str, str] | None:
    """Return the hash of each field under flow/deployment, or None if it never was deployed."""
    variable = await client.read_variable_by_name(variable_of(name))
    if variable is None:
        return None
    return dict(variable.value) if isinstance(variable.value, dict) else {}


async def remember_hashes(client: PrefectClient, name: str, hashes: dict[str, str]) -> None:
    """Keep the hash of each field under flow/deployment."""
    variable = variable_of(name)
    if await client.read_variable_by_name(variable) is None:
        created = VariableCreate(name=variable, value=hashes, tags=["redial"])
        await client.create_variable(created)
    else:
        await client.update_variable(VariableUpdate(name=variable, value=hashes))


def variable_of(name: str) -> str:
    """Return the name of the variable that holds what was deployed under flow/deployment.

    Each has its own.
    """
    plain = re.sub(r"[^a-z0-9_-]", "-", name.lower().replace("/", "--"))
    return (
        f"{REMEMBERED}{plain}"
        if _PLAIN.fullmatch(name)
        else f"{REMEMBERED}{plain}-{fingerprint(name)[:8]}"
    )
