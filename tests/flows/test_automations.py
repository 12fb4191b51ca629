"""Automations are put once: what their triggers wait for, and what a person changed, outlives a start of `redial serve`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.server.api import ServerApi
from flows.server.automations import RETIRED, put_automations
from tasks.settings import Home
from tasks.settings.paths import PROJECT
from tests.support.served import Served

NAMES = ["redial lost runs", "redial lost starts"]


def all_of(served: Served) -> dict[str, dict[str, Any]]:
    found = served.client.post("/automations/filter", json={}).raise_for_status().json()
    return {automation["name"]: automation for automation in found}


@pytest.fixture
def home(served: Served, tmp_path: Path) -> Iterator[Home]:
    """A project whose automations may be changed. The shipped ones are put back afterwards."""
    shutil.copy(PROJECT / "automations.yaml", tmp_path)
    yield Home(project=tmp_path)
    put_automations(Home(data=served.data), ServerApi(served.client))


def rewrite(home: Home, within: int) -> None:
    path = home.project / "automations.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    content["automations"][0]["trigger"]["within"] = within
    path.write_text(yaml.safe_dump(content), "utf-8")


def test_nothing_is_put_twice(served: Served, home: Home) -> None:
    before = all_of(served)
    assert put_automations(home, ServerApi(served.client)) == []
    # Ids of the triggers included: a new one forgets what it waited for.
    assert all_of(served) == before


def test_a_server_that_remembers_nothing_is_looked_at(served: Served, home: Home) -> None:
    """As after an upgrade: the automations are there, a note of what was put is not."""
    before = all_of(served)
    served.client.delete("/variables/name/redial_automations").raise_for_status()
    assert put_automations(home, ServerApi(served.client)) == []
    assert all_of(served) == before


def test_a_changed_file_is_put_under_the_same_id(served: Served, home: Home) -> None:
    before = all_of(served)
    rewrite(home, within=75)
    assert put_automations(home, ServerApi(served.client)) == NAMES[:1]
    after = all_of(served)
    assert after[NAMES[0]]["id"] == before[NAMES[0]]["id"]
    assert after[NAMES[0]]["trigger"]["within"] == 75
    assert after[NAMES[1]] == before[NAMES[1]]


def test_what_a_person_changed_stays(served: Served, home: Home) -> None:
    changed = all_of(served)[NAMES[1]]
    body = {name: changed[name] for name in ("name", "description", "actions")}
    trigger = {**changed["trigger"], "within": 600}
    served.client.put(
        f"/automations/{changed['id']}", json={**body, "enabled": False, "trigger": trigger}
    ).raise_for_status()
    assert put_automations(home, ServerApi(served.client)) == []
    there = all_of(served)[NAMES[1]]
    assert (there["enabled"], there["trigger"]["within"]) == (False, 600)
    back = {**body, "enabled": True, "trigger": changed["trigger"]}
    served.client.put(f"/automations/{changed['id']}", json=back).raise_for_status()


def test_an_automation_of_an_earlier_version_is_removed(served: Served, home: Home) -> None:
    """It would start crashed runs again for ever, uncounted."""
    shipped = yaml.safe_load((PROJECT / "automations.yaml").read_text("utf-8"))["automations"][0]
    served.client.post("/automations/", json={**shipped, "name": RETIRED[0]}).raise_for_status()
    put_automations(home, ServerApi(served.client))
    assert sorted(all_of(served)) == NAMES
