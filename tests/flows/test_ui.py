"""The Prefect UI in a real browser: a form is filled in, a run is watched, its artifacts lead to the Data Docs.

With REDIAL_SCREENSHOTS set to a folder, what was seen is kept there; docs/images was made so.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.chromium import CHROMIUM, Opened, browser_page, log_in
from tests.support.served import Served

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")]
PATIENCE_MS = 120_000


class Browser:
    """One page of the UI."""

    def __init__(self, page: Any, pictures: Path) -> None:
        self.page, self.pictures = page, pictures

    def field(self, name: str) -> Any:
        """Return the input of a form's field."""
        return self.page.locator(".p-label", has=self.page.get_by_text(re.compile(f"^{name}"))).last.locator("input, textarea").first

    def keep(self, name: str) -> None:
        """Keep a picture of what is to be seen."""
        self.page.screenshot(path=self.pictures / f"{name}.png")


def test_a_run_from_its_form_to_the_data_docs(served: Served, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("REDIAL_SCREENSHOTS", tmp_path))
    seen = Opened()
    user, password = served.auth or ("", "")
    asked = {"username": user, "password": password, "origin": f"http://127.0.0.1:{served.port + 1}"}  # as a visitor of the pages types it
    look = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", "http_credentials": asked}
    with browser_page(seen, offline=False, **look) as page:
        page.set_default_timeout(PATIENCE_MS)
        browser = Browser(page, pictures)
        run_id = fill_in_the_form(browser, served)
        run = served.wait(run_id)
        assert run["state"]["name"] == "Completed", served.logs(run_id)
        assert run["parameters"]["options"]["seed"] == 7
        watch_the_run(browser, served, run_id)
        open_the_artifacts(browser, served, run_id)
        follow_the_link(browser, served, run_id)
    ours = (served.ui, f"http://127.0.0.1:{served.port + 1}", f"ws://127.0.0.1:{served.port}", "data:", "blob:")
    assert [url for url in seen.requests if not url.startswith(ours)] == []


def fill_in_the_form(browser: Browser, served: Served) -> str:
    page = browser.page
    page.goto(served.ui)
    page.locator("input[type=password]").first.wait_for()
    browser.keep("login")
    log_in(page, served.login)
    page.get_by_text("Deployments", exact=True).first.click()
    page.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    browser.field("Seed").fill("7")
    browser.field("Max Dialogues").fill("60")
    browser.field("Seed").scroll_into_view_if_needed()
    browser.keep("form")
    with page.expect_response(re.compile("create_flow_run")) as sent:
        page.get_by_role("button", name="Submit").click()
    assert sent.value.status == 201
    return str(sent.value.json()["id"])


def watch_the_run(browser: Browser, served: Served, run_id: str) -> None:
    page = browser.page
    page.goto(f"{served.ui}/runs/flow-run/{run_id}")
    page.get_by_text(re.compile(r"build demo 60 briefs writer #\d+")).first.wait_for()
    page.get_by_text("Completed").first.wait_for()
    page.get_by_text("demo-quality-1").first.wait_for()
    page.wait_for_timeout(3000)  # the picture of the run is drawn
    browser.keep("run")


def open_the_artifacts(browser: Browser, served: Served, run_id: str) -> None:
    page = browser.page
    page.locator("#artifacts").click()
    page.get_by_text("demo-funnel").first.wait_for()
    browser.keep("artifacts")
    for name, words in (("funnel", "accepted"), ("lineage", "reviews.json.gz"), ("summary", "#Dialogues")):
        page.goto(f"{served.ui}/artifacts/artifact/{served.artifacts(run_id)[f'demo-{name}']['id']}")
        page.get_by_text(words).first.wait_for()
        browser.keep(name)


def follow_the_link(browser: Browser, served: Served, run_id: str) -> None:
    page = browser.page
    page.goto(f"{served.ui}/artifacts/artifact/{served.artifacts(run_id)['demo-data-docs']['id']}")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Data Docs of demo").click()
    docs = opened.value
    docs.wait_for_load_state()
    assert docs.url == f"http://127.0.0.1:{served.port + 1}/docs/demo/index.html"
    docs.get_by_text("demo").first.wait_for()
    docs.screenshot(path=browser.pictures / "data-docs.png")
