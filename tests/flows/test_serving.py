"""What `redial serve` puts up."""

from __future__ import annotations

import socket

import httpx
import yaml

from flows.options import MODELS
from tasks.settings import Home
from tasks.settings.home import PROJECT
from tests.support.served import Served, processes


def test_every_domain_has_a_deployment(served: Served) -> None:
    deployments = served.client.post("/deployments/filter", json={}).json()
    domains = {each["parameters"].get("domain"): each for each in deployments if each["entrypoint"] == "flows/build.py:build"}
    assert set(domains) == set(Home(data=served.data).domain_files())
    assert "own" in domains
    for deployment in domains.values():
        assert deployment["global_concurrency_limit"]["limit"] == 1
        assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
        assert deployment["work_pool_name"] == "redial"


def test_prefect_yaml_names_every_shipped_domain() -> None:
    content = yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))
    built = [each["parameters"]["domain"] for each in content["deployments"] if each["entrypoint"] == "flows/build.py:build"]
    assert sorted(built) == sorted(path.stem for path in (PROJECT / "data" / "domains").glob("*.yaml"))


def test_the_backfill_is_scheduled_and_shipped_paused(served: Served) -> None:
    (schedule,) = served.deployment("backfill/backfill")["schedules"]
    assert schedule["schedule"]["cron"] == "0 3 * * *"
    assert schedule["active"] is False


def test_automations_are_there_once(served: Served) -> None:
    names = [each["name"] for each in served.client.post("/automations/filter", json={}).json()]
    assert sorted(names) == ["redial lost runs", "redial lost starts"]


def test_only_this_machine_is_listened_to(served: Served) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: the address this machine would send from
        outside = probe.getsockname()[0]
    for port in (served.port, served.port + 1):
        assert httpx.get(f"http://127.0.0.1:{port}/", auth=served.auth).status_code == 200
        with socket.socket() as knock:
            assert outside.startswith("127.") or knock.connect_ex((outside, port)) != 0


def test_a_login_is_asked_for_and_printed_once(served: Served) -> None:
    password = served.login.partition(":")[2]
    assert len(password) >= 32
    assert served.told.count(password) == 2  # by itself, and in the line to copy
    for address in (f"{served.ui}/api/flow_runs/count", f"http://127.0.0.1:{served.port + 1}/"):
        assert httpx.request("POST" if "/api/" in address else "GET", address, json={}).status_code == 401
    ours = processes(served.data)
    assert len(ours) >= 3
    assert not any(password in command for command in ours.values())
    kept = [path for path in served.data.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert kept == []


def test_nothing_is_told_to_others(served: Served) -> None:
    settings = served.client.get("/admin/settings").json()
    assert settings["server"]["analytics_enabled"] is False
    assert settings["server"]["ui"]["v2_enabled"] is False


def test_the_form_offers_choices_with_their_meaning(served: Served) -> None:
    schema = served.deployment("build/demo")["parameter_openapi_schema"]
    fields = schema["definitions"]["BuildOptions"]["properties"]
    assert all(field["description"] for field in [*fields.values(), schema["properties"]["domain"]])
    assert set(MODELS) < set(fields["model"]["anyOf"][0]["enum"])
    assert set(fields["profile"]["enum"]) == {"grounded", "paper", None}
    assert (fields["max_attempts"]["minimum"], fields["max_attempts"]["maximum"]) == (1, 10)
    assert fields["budget_usd"]["minimum"] == 0


def test_bad_parameters_are_refused_with_their_name(served: Served) -> None:
    deployment = served.deployment("build/demo")["id"]
    for options, named in (({"max_attempts": 99}, "max_attempts"), ({"profile": "poem"}, "profile"), ({"bugdet_usd": 1}, "bugdet_usd")):
        answer = served.client.post(
            f"/deployments/{deployment}/create_flow_run", json={"parameters": {"domain": "demo", "options": options}}
        )
        assert answer.status_code == 409
        assert named in answer.text
