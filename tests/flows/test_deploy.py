"""Deploying to a real server: a restart of `redial serve` undoes nothing that operators set in the UI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.settings import temporary_settings

from flows.server.api import RetryingTransport
from flows.server.deploy import deploy_all, prepare
from flows.server.deployment_file import load_deployments
from flows.server.deployment_memory import variable_of
from flows.server.ephemeral import PrivateServer
from flows.server.pool import put_pool
from tasks.errors import UserError
from tasks.settings import Home
from tasks.settings.paths import PROJECT
from tests.support.served import Served, demo_like, serving, until

BACKFILL = "backfill/backfill"


@pytest.fixture(scope="module")
def server(flow_server: PrivateServer) -> Iterator[httpx.Client]:
    api, login = flow_server.api, flow_server.login
    user, _, password = login.partition(":")
    with (
        temporary_settings(updates={"api.url": api, "api.auth_string": login}),
        httpx.Client(
            base_url=api,
            auth=(user, password),
            timeout=60,
            transport=RetryingTransport(),
        ) as client,
    ):
        put_pool(client)
        yield client


@dataclass
class Project:
    """A project of two deployments, and its server."""

    home: Home
    client: httpx.Client

    def entry(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            entry for entry in self.content["deployments"] if entry["name"] == name
        )
        return found

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = yaml.safe_load(
            (self.home.project / "prefect.yaml").read_text("utf-8")
        )
        return content

    def edit(self, name: str, **changes: Any) -> None:
        """Change an entry of prefect.yaml."""
        content = self.content
        next(entry for entry in content["deployments"] if entry["name"] == name).update(changes)
        (self.home.project / "prefect.yaml").write_text(yaml.safe_dump(content), "utf-8")

    async def deploy(self) -> list[str]:
        return await deploy_all(prepare(self.home))

    def held(self, name: str = BACKFILL) -> dict[str, Any]:
        found: dict[str, Any] = (
            self.client.get(f"/deployments/name/{name}").raise_for_status().json()
        )
        return found

    def schedules(self) -> dict[str | None, dict[str, Any]]:
        return {each["slug"]: each for each in self.held()["schedules"]}

    def patch(self, name: str = BACKFILL, **changes: Any) -> None:
        """Change a deployment as the UI does."""
        self.client.patch(f"/deployments/{self.held(name)['id']}", json=changes).raise_for_status()

    def patch_schedule(self, **changes: Any) -> None:
        nightly = self.schedules()["nightly"]
        self.client.patch(
            f"/deployments/{nightly['deployment_id']}/schedules/{nightly['id']}", json=changes
        ).raise_for_status()


@pytest.fixture
async def project(server: httpx.Client, tmp_path: Path) -> Project:
    """A project that has been deployed once, on a server that knows nothing of an earlier one."""
    for deployment in server.post("/deployments/filter", json={}).json():
        server.delete(f"/deployments/{deployment['id']}").raise_for_status()
    for variable in server.post("/variables/filter", json={}).json():
        server.delete(f"/variables/{variable['id']}").raise_for_status()
    shipped = yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))["deployments"]
    ours = [entry for entry in shipped if entry["name"] in ("demo", "backfill")]
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({"deployments": ours}), "utf-8")
    made = Project(Home(project=tmp_path, data=tmp_path / "data"), server)
    assert await made.deploy() == ["made 2 deployments: build/demo, backfill/backfill"]
    return made


async def test_a_second_time_changes_nothing_and_says_nothing(project: Project) -> None:
    before = [project.held(name) for name in (BACKFILL, "build/demo")]
    assert await project.deploy() == []
    assert [project.held(name) for name in (BACKFILL, "build/demo")] == before


async def test_what_was_set_in_the_ui_stays_and_is_told(project: Project) -> None:
    project.patch_schedule(active=True)
    project.patch_schedule(schedule={"cron": "5 4 * * *", "timezone": "Europe/Paris"})
    second = [{"schedule": {"cron": "0 12 * * *", "timezone": "UTC"}, "active": True}]
    project.client.post(
        f"/deployments/{project.held()['id']}/schedules", json=second
    ).raise_for_status()
    project.patch(
        parameters={"domains": ["demo", "books"], "at_once": 4}, tags=["redial", "backfill", "ours"]
    )
    project.patch(description="Ours.", concurrency_limit=3, paused=True)
    before = project.held()
    lines = await project.deploy()
    after = project.held()
    assert after == before
    assert lines == [
        "backfill/backfill: concurrency limit: stays 3, as set on the server; the file says 1",
        "backfill/backfill: description: stays Ours., as set on the server; the file says "
        "Build many domains, each as a run of its own; what is there already is not done again.",
        "backfill/backfill: parameter at_once: stays 4, as set on the server; the file says nothing",
        "backfill/backfill: parameter domains: stays demo, books, as set on the server; the file says demo",
        "backfill/backfill: paused: stays on, as set on the server; the file says off",
        "backfill/backfill: schedule nightly active: stays on, as set on the server; the file says off",
        "backfill/backfill: schedule nightly when: stays 5 4 * * * Europe/Paris, as set on the server; the file says 0 3 * * * UTC",
        "backfill/backfill: tag ours: stays on, as set on the server; the file says nothing",
        "backfill/backfill: schedule 0 12 * * * UTC: stays, as added on the server",
    ]
    assert await project.deploy() == lines


async def test_what_the_file_adds_is_added_beside_it(project: Project) -> None:
    project.patch_schedule(active=True)
    project.patch(parameters={"domains": ["books"]})
    nightly = project.entry("backfill")["schedules"][0]
    weekly = {"slug": "weekly", "interval": 604800, "parameters": {"domains": ["demo"]}}
    rule = {"slug": "monthly", "rrule": "FREQ=MONTHLY", "active": False}
    project.edit(
        "backfill", schedules=[nightly, weekly, rule], tags=["redial", "backfill", "weekly"]
    )
    project.edit("backfill", parameters={"domains": ["demo"], "at_once": 3})
    await project.deploy()
    schedules = project.schedules()
    assert set(schedules) == {"nightly", "weekly", "monthly"}
    assert (
        schedules["nightly"]["active"]
        and schedules["weekly"]["active"]
        and not schedules["monthly"]["active"]
    )
    assert (schedules["weekly"]["schedule"]["interval"], schedules["weekly"]["parameters"]) == (
        604800,
        {"domains": ["demo"]},
    )
    assert project.held()["parameters"] == {"domains": ["books"], "at_once": 3}
    assert set(project.held()["tags"]) == {"redial", "backfill", "weekly"}
    before = project.held()
    assert len(await project.deploy()) == 2  # the two differences that stay
    assert project.held() == before


async def test_what_the_file_changes_is_taken_where_nobody_changed_it(project: Project) -> None:
    project.patch_schedule(active=True)
    project.edit(
        "backfill",
        schedules=[{"slug": "nightly", "cron": "0 5 * * *", "timezone": "UTC", "active": False}],
    )
    project.edit(
        "backfill",
        description="Another.",
        concurrency_limit={"limit": 2, "collision_strategy": "CANCEL_NEW"},
    )
    assert await project.deploy() == [
        "backfill/backfill: collision strategy: ENQUEUE -> CANCEL_NEW, as the file says now",
        "backfill/backfill: concurrency limit: 1 -> 2, as the file says now",
        "backfill/backfill: description: Build many domains, each as a run of its own; what is there already is not done again. "
        "-> Another., as the file says now",
        "backfill/backfill: schedule nightly active: stays on, as set on the server; the file says off",
        "backfill/backfill: schedule nightly when: 0 3 * * * UTC -> 0 5 * * * UTC, as the file says now",
    ]
    held = project.held()
    assert (held["description"], held["global_concurrency_limit"]["limit"]) == ("Another.", 2)
    assert held["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    (nightly,) = held["schedules"]
    assert (nightly["schedule"]["cron"], nightly["active"]) == ("0 5 * * *", True)


async def test_what_the_file_leaves_out_goes_and_what_a_person_deleted_stays_deleted(
    project: Project,
) -> None:
    project.edit("backfill", schedules=[], tags=["redial"])
    await project.deploy()
    assert (project.held()["schedules"], project.held()["tags"]) == ([], ["redial"])
    project.client.delete(f"/deployments/{project.held('build/demo')['id']}").raise_for_status()
    (line,) = await project.deploy()
    assert line == (
        "build/demo: stays deleted, as on the server; `prefect variable delete redial-deployed-build--demo` has it made again"
    )
    project.client.delete("/variables/name/redial-deployed-build--demo").raise_for_status()
    assert await project.deploy() == ["made 1 deployment: build/demo"]


async def test_deployments_of_an_earlier_version_keep_what_was_set(project: Project) -> None:
    project.client.delete(f"/variables/name/{variable_of(BACKFILL)}").raise_for_status()
    project.patch_schedule(active=True)
    lines = await project.deploy()
    assert lines == [
        "backfill/backfill: schedule nightly active: stays on, as set on the server; the file says off"
    ]
    assert project.schedules()["nightly"]["active"]


async def test_what_follows_from_the_code_is_nobodys_to_change(project: Project) -> None:
    before = project.held()
    project.patch(entrypoint="theirs.py:run", parameter_openapi_schema={}, pull_steps=[])
    assert await project.deploy() == []
    after = project.held()
    for name in ("entrypoint", "parameter_openapi_schema", "pull_steps"):
        assert after[name] == before[name]


async def test_a_domain_file_gets_its_deployment_and_a_bad_one_is_a_line(project: Project) -> None:
    demo_like(project.home.data, "own", title="Our own")
    bad = project.home.data / "domains" / "bad.yaml"
    bad.write_text("nuon: typo\n", "utf-8")
    made, line = await project.deploy()
    assert made == "made 1 deployment: build/own"
    assert (
        line.startswith("no deployment for bad: ")
        and "nuon: is not a known setting" in line
        and "\n" not in line
    )
    held = project.held("build/own")
    assert held["parameters"] == {"domain": "own"}
    assert held["global_concurrency_limit"]["limit"] == 1
    demo_like(project.home.data, "bad", title="Mended")
    assert await project.deploy() == ["made 1 deployment: build/bad"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"schedules": [{"cron": "0 3 * * *", "interval": 5}]},
            "a schedule needs one of cron, interval and rrule",
        ),
        ({"schedules": [{"cron": "whenever"}]}, "whenever"),
        (
            {"schedules": [{"slug": "a", "interval": 5}, {"slug": "a", "interval": 6}]},
            "two schedules have the same slug",
        ),
        ({"parametres": {}}, "parametres: is not a known setting (did you mean"),
        ({"entrypoint": "flows/nowhere.py:build"}, "which cannot be loaded"),
        ({"parameters": {"domains": 3}}, "prefect.yaml, deployment backfill: "),
        (
            {"parameters": {"domians": ["a"]}},
            "domians is not a known parameter (did you mean domains?)",
        ),
        ({"work_pool": {"name": "nowhere"}}, "the server refuses the deployment backfill"),
    ],
    ids=str,
)
async def test_a_prefect_yaml_that_cannot_be_used_is_one_line(
    project: Project, changes: dict[str, Any], words: str
) -> None:
    project.client.delete(f"/deployments/{project.held()['id']}").raise_for_status()
    project.client.delete(f"/variables/name/{variable_of(BACKFILL)}").raise_for_status()
    project.edit("backfill", **changes)
    with pytest.raises(UserError) as refused:
        await project.deploy()
    assert words in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_the_shipped_file_is_read_whole() -> None:
    shipped = yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))["deployments"]
    entries, bad = load_deployments(Home(data=PROJECT / "nowhere"))
    assert [entry.name for entry in entries] == [entry["name"] for entry in shipped]
    assert bad == []


def test_variables_of_deployments_do_not_meet() -> None:
    names = ["build/a-b", "build/a/b", "build/A-b", "build/a_b", "build-a/b"]
    assert len({variable_of(name) for name in names}) == len(names)


# --- `redial serve`


@pytest.mark.heavy
def test_a_restart_undoes_nothing_and_a_new_domain_gets_its_deployment(tmp_path: Path) -> None:
    demo_like(tmp_path, "own", title="Our own", briefs={"max_dialogues": 10})
    with serving(tmp_path) as first:
        backfill = first.deployment(BACKFILL)
        place = f"/deployments/{backfill['id']}"
        nightly = f"{place}/schedules/{backfill['schedules'][0]['id']}"
        changed = {"active": True, "schedule": {"cron": "5 4 1 1 *", "timezone": "UTC"}}
        first.client.patch(nightly, json=changed).raise_for_status()
        second = [{"schedule": {"cron": "0 12 1 1 *"}, "active": False}]
        first.client.post(f"{place}/schedules", json=second).raise_for_status()
        first.client.patch(place, json={"parameters": {"domains": ["own"]}}).raise_for_status()
        (tmp_path / "domains" / "bad.yaml").write_text(json.dumps({"nuon": "typo"}), "utf-8")
        demo_like(tmp_path, "late", title="Late")
        until(lambda: _is_there(first, "build/late"), 120, lambda: "build/late got no deployment")
        (tmp_path / "domains" / "bad.yaml").write_text("sources: [", "utf-8")
        demo_like(tmp_path, "later", title="Later")
        until(lambda: _is_there(first, "build/later"), 120, lambda: "build/later got no deployment")
        before = first.deployment(BACKFILL)
    told = first.process.communicate()[1]
    assert (
        "made 1 deployment: build/late\n" in told
        and "no deployment for bad: " in told
        and "Traceback" not in told
    )
    with serving(tmp_path) as again:
        after = again.deployment(BACKFILL)
    told = again.process.communicate()[1]
    assert (after["schedules"], after["parameters"]) == (before["schedules"], {"domains": ["own"]})
    assert (
        "backfill/backfill: parameter domains: stays own, as set on the server; the file says demo"
        in told
    )


def _is_there(served: Served, name: str) -> bool:
    return served.client.get(f"/deployments/name/{name}").status_code == 200
