"""Hostile web pages in a real browser against `redial serve`, with and without a login: of another origin, and of a rebound name.

What a page would need to know (addresses, ports, a deployment's id) is given to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli.serve import WITHOUT_LOGIN
from tests.support.chromium import CHROMIUM, Opened, browser_page
from tests.support.hostile_page import HOST, UNGUARDED, attack, markers
from tests.support.served import Served, processes, serving, until

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
DEPLOYMENT = "report/report"  # it has no concurrency limit: what is started begins at once


@pytest.fixture(scope="module", params=["login", "no-login"])
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("attacked")
    with serving(data, *([] if request.param == "login" else ["--no-login"])) as running:
        assert bool(running.login) == (request.param == "login")
        assert (WITHOUT_LOGIN in running.told) == (request.param == "no-login")
        yield running
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")


def watched(served: Served) -> dict[str, Any]:
    """Return what an attack would change."""
    deployment = served.deployment(DEPLOYMENT)
    pool = served.client.get("/work_pools/redial").raise_for_status().json()
    runs = served.client.post("/flow_runs/filter", json={}).raise_for_status().json()
    automations = served.client.post("/automations/filter", json={}).raise_for_status().json()
    return {
        "deployment": {
            name: deployment[name]
            for name in ("pull_steps", "entrypoint", "job_variables", "updated")
        },
        "pool": {name: pool[name] for name in ("base_job_template", "is_paused")},
        "runs": [run["id"] for run in runs],
        "automations": sorted(each["name"] for each in automations),
    }


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_of_another_origin_does_nothing(
    attacked: Served, tmp_path: Path, scheme: str
) -> None:
    pages = f"http://127.0.0.1:{attacked.port + 1}"
    nothing_happens(attacked, tmp_path, f"{scheme}://{HOST}/page.html", f"{attacked.ui}/api", pages)


def test_a_page_on_another_port_of_this_machine_does_nothing(
    attacked: Served, tmp_path: Path
) -> None:
    pages = f"http://127.0.0.1:{attacked.port + 1}"
    nothing_happens(
        attacked,
        tmp_path,
        f"http://127.0.0.1:{attacked.port + 2}/page.html",
        f"{attacked.ui}/api",
        pages,
    )


def test_a_page_of_a_rebound_name_does_nothing(attacked: Served, tmp_path: Path) -> None:
    """The name of the page's own origin leads to this machine by now, to the API's port and to the pages'."""
    api, pages = f"http://{HOST}:{attacked.port}", f"http://{HOST}:{attacked.port + 1}"
    for own in (api, pages):
        nothing_happens(attacked, tmp_path, f"{own}/page.html", f"{api}/api", pages)


def nothing_happens(served: Served, folder: Path, start: str, api: str, pages: str) -> None:
    before, made = watched(served), markers(folder)
    target = {
        "api": api,
        "pages": pages,
        "deployment": served.deployment(DEPLOYMENT)["id"],
        "markers": [str(file) for file in made],
    }
    with browser_page(Opened(), offline=False, arguments=UNGUARDED) as page:
        if served.auth:  # the browser knows the pages' login, as after a visit
            user, password = served.auth
            page.goto(f"http://{user}:{password}@127.0.0.1:{served.port + 1}/")
            assert "llm-redial pages" in page.title()
        seen = attack(page, start, target)
    assert len(seen) == 22
    assert {name for name, result in seen.items() if result != "refused"} == set(), json.dumps(
        seen
    )[:2000]
    assert watched(served) == before
    assert not any(file.exists() for file in made)


def test_the_ui_stands_in_no_frame_of_another_page(attacked: Served) -> None:
    seen = Opened()
    start = f"http://{HOST}/frame.html"
    body = f'<!doctype html><iframe src="{attacked.ui}/dashboard"></iframe>'
    with browser_page(seen, offline=False, arguments=UNGUARDED) as page:
        page.route(
            start, lambda route: route.fulfill(status=200, content_type="text/html", body=body)
        )
        page.goto(start)
        until(
            lambda: any("frame" in problem.lower() for problem in seen.problems),
            30,
            lambda: f"{seen.problems}",
        )
        assert not any(frame.locator("#app").count() for frame in page.frames[1:])
