"""Puts the automations of automations.yaml on a Prefect server; what is there already stays.

An update gives an automation's trigger a new id, and what the trigger had begun to wait for is
forgotten: a run lost before the update would never be noticed. So an automation is updated only
when the file has changed since it was put.
"""

from __future__ import annotations

from typing import Any

import yaml

from flows.server.api import ServerApi
from tasks.fingerprint import fingerprint
from tasks.settings import Home

PUT_BEFORE = "redial_automations"  # variable of the server: what was put, as a hash by name
# Of earlier versions; crash_recovery counts starts that it did not count.
RETIRED = ("redial second wind",)  # codespell:ignore
Automation = dict[str, Any]


def put_automations(home: Home, api: ServerApi) -> list[str]:
    """Create or update the automations of automations.yaml, and return their names.

    Only those are updated that have changed in the file.

    What a person changed on the server stays until the file changes; whether an automation is
    switched on stays always.

    Raises:
        httpx.HTTPError: the server refuses.
    """
    wanted: list[Automation] = yaml.safe_load(
        (home.project / "automations.yaml").read_text("utf-8")
    )["automations"]
    hashes = {automation["name"]: fingerprint(automation) for automation in wanted}
    before = _put_before(api)
    changed = [automation for automation in wanted if _put(api, automation, before)]
    for name in RETIRED:
        for automation in _find(api, name):
            api.client.delete(f"/automations/{automation['id']}").raise_for_status()
    if before != hashes:
        _note(api, hashes)
    return [automation["name"] for automation in changed]


def _put(api: ServerApi, wanted: Automation, before: dict[str, str]) -> bool:
    """Create or update one automation; return True if either was needed."""
    there = _find(api, wanted["name"])
    if not there:
        api.client.post("/automations/", json=wanted).raise_for_status()
        return True
    if before.get(wanted["name"]) == fingerprint(wanted) or is_contained(wanted, there[0]):
        return False
    body = {**wanted, "enabled": there[0]["enabled"]}
    api.client.put(f"/automations/{there[0]['id']}", json=body).raise_for_status()
    return True


def is_contained(wanted: Any, there: Any) -> bool:
    """Return True if the server's form of an automation says all that ours says.

    It adds defaults, and sorts sets of names.

    Whether it is enabled does not count.
    """
    if isinstance(wanted, dict) and isinstance(there, dict):
        names = wanted.keys() - {"enabled"}
        return all(name in there and is_contained(wanted[name], there[name]) for name in names)
    if (
        isinstance(wanted, list)
        and isinstance(there, list)
        and all(isinstance(entry, str) for entry in wanted)
    ):
        return sorted(wanted) == sorted(there)
    if isinstance(wanted, list) and isinstance(there, list):
        return len(wanted) == len(there) and all(map(is_contained, wanted, there))
    if isinstance(there, list):  # one name, which the server keeps as a list
        return there == [wanted]
    return bool(wanted == there)


def _find(api: ServerApi, name: str) -> list[Automation]:
    chosen = {"automations": {"name": {"any_": [name]}}}
    matches: list[Automation] = (
        api.client.post("/automations/filter", json=chosen).raise_for_status().json()
    )
    return matches


def _put_before(api: ServerApi) -> dict[str, str]:
    answer = api.client.get(f"/variables/name/{PUT_BEFORE}")
    if answer.status_code == 404:
        return {}
    value = answer.raise_for_status().json()["value"]
    return dict(value) if isinstance(value, dict) else {}


def _note(api: ServerApi, hashes: dict[str, str]) -> None:
    body = {"name": PUT_BEFORE, "value": hashes}
    answer = api.client.patch(f"/variables/name/{PUT_BEFORE}", json=body)
    if answer.status_code == 404:
        answer = api.client.post("/variables/", json=body)
    answer.raise_for_status()
