"""`redial serve` behind Prefect's basic auth string: nothing is shown without it, and runs work with it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from flows.cli.serve import GIVEN_LOGIN
from tests.support.chromium import CHROMIUM, Opened, browser_page, log_in
from tests.support.served import Served, demo_like, processes, serving, until

pytestmark = pytest.mark.heavy
USER, PASSWORD = "ann", "open:sesame and more"
LISTED = "books_2023"  # a deployment near the top of the page
OURS = "own"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("guarded")
    demo_like(data, OURS, title="Our own", briefs={"max_dialogues": 20})
    with serving(data, PREFECT_SERVER_API_AUTH_STRING=f"{USER}:{PASSWORD}") as running:
        yield running
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")


@pytest.mark.parametrize(
    "auth", [None, (USER, ""), (USER, "wrong"), ("", PASSWORD), ("bob", PASSWORD)]
)
def test_nobody_else_is_let_in(guarded: Served, auth: tuple[str, str] | None) -> None:
    api, pages = f"{guarded.ui}/api", f"http://127.0.0.1:{guarded.port + 1}"
    for answer in (
        httpx.post(f"{api}/deployments/filter", json={}, auth=auth),
        httpx.post(f"{api}/flow_runs/filter", json={}, auth=auth),
        httpx.get(f"{api}/admin/settings", auth=auth),
        httpx.get(f"{pages}/", auth=auth),
        httpx.get(f"{pages}/docs/{OURS}/index.html", auth=auth),
    ):
        assert answer.status_code == 401
        assert OURS not in answer.text


def test_a_run_works_and_its_pages_open_with_the_login(guarded: Served) -> None:
    assert GIVEN_LOGIN in guarded.told
    assert PASSWORD not in guarded.told
    run_id = guarded.start(f"build/{OURS}", domain=OURS)
    run = guarded.wait(run_id)
    assert run["state"]["name"] == "Completed", guarded.logs(run_id)
    pages = f"http://127.0.0.1:{guarded.port + 1}"
    docs = httpx.get(f"{pages}/docs/{OURS}/index.html", auth=(USER, PASSWORD))
    assert docs.status_code == 200
    assert (
        guarded.artifacts(run_id)[f"{OURS}-data-docs"]["data"].count(
            f"{pages}/docs/{OURS}/run-{run_id}.html"
        )
        == 1
    )
    kept = [
        path
        for path in (guarded.data / "prefect" / "serve").glob("*.log")
        if PASSWORD in path.read_text("utf-8", "replace")
    ]
    assert not kept


@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")
def test_the_ui_asks_for_the_login_and_shows_nothing_before(guarded: Served) -> None:
    with browser_page(Opened(), offline=False) as page:
        page.set_default_timeout(60_000)
        page.goto(f"{guarded.ui}/deployments")
        page.locator("input[type=password]").first.wait_for()
        assert not page.get_by_text(LISTED, exact=True).count()
        log_in(page, guarded.login)
        page.get_by_text(LISTED, exact=True).first.wait_for()
