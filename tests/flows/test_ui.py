"""The Prefect UI in a real browser: a form is filled in, a run is watched, its artifacts lead to pages, and these to dialogues.

With REDIAL_SCREENSHOTS set to a folder, what was seen is kept there: `make screenshots` makes
docs/images again.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.chromium import CHROMIUM, Opened, browser_page, log_in
from tests.support.served import Served

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
PATIENCE_MS = 120_000


class Browser:
    """One page of the UI."""

    def __init__(self, page: Any, pictures: Path) -> None:
        self.page, self.pictures = page, pictures

    def field(self, name: str) -> Any:
        """Return the input of a form's field."""
        return (
            self.page.locator(".p-label", has=self.page.get_by_text(re.compile(f"^{name}")))
            .last.locator("input, textarea")
            .first
        )

    def keep(self, name: str) -> None:
        """Keep a picture of what is to be seen, of no more colours than it takes."""
        self.page.evaluate(
            "document.querySelectorAll('.p-toast__close-btn').forEach(button => button.click())"
        )
        self.page.locator(".p-toast__card").first.wait_for(state="detached")
        taken = Image.open(io.BytesIO(self.page.screenshot(animations="disabled")))
        taken.convert("RGB").quantize(256).save(self.pictures / f"{name}.png", optimize=True)


def test_a_run_from_its_form_to_a_dialogue(served: Served, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("REDIAL_SCREENSHOTS", tmp_path))
    seen = Opened()
    user, password = served.auth or ("", "")
    # As a visitor of the pages types it.
    asked = {
        "username": user,
        "password": password,
        "origin": f"http://127.0.0.1:{served.port + 1}",
    }
    look = {
        "viewport": {"width": 1280, "height": 900},
        "color_scheme": "light",
        "http_credentials": asked,
    }
    with browser_page(seen, offline=False, **look) as page:
        page.set_default_timeout(PATIENCE_MS)
        browser = Browser(page, pictures)
        run_id = fill_in_the_form(browser, served)
        run = served.wait(run_id)
        assert run["state"]["name"] == "Completed", served.logs(run_id)
        assert run["parameters"]["options"]["seed"] == 7
        watch_the_run(browser, served, run_id)
        open_the_artifacts(browser, served, run_id)
        follow_the_links(browser, served, run_id)
    ours = (
        served.ui,
        f"http://127.0.0.1:{served.port + 1}",
        f"ws://127.0.0.1:{served.port}",
        "data:",
        "blob:",
    )
    assert [url for url in seen.requests if not url.startswith(ours)] == []


def fill_in_the_form(browser: Browser, served: Served) -> str:
    page = browser.page
    page.goto(served.ui)
    page.locator("input[type=password]").first.wait_for()
    log_in(page, served.login)
    page.get_by_text("Deployments", exact=True).first.click()
    page.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    browser.field("Seed").fill("7")
    browser.field("Max Dialogues").fill("60")
    browser.field("Seed").scroll_into_view_if_needed()
    browser.keep("ui_form")
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
    browser.keep("ui_run")


def open_the_artifacts(browser: Browser, served: Served, run_id: str) -> None:
    page = browser.page
    page.locator("#artifacts").click()
    page.get_by_text("demo-funnel").first.wait_for()
    for name, words in (
        ("funnel", "accepted"),
        ("lineage", "reviews.json.gz"),
        ("summary", "#Dialogues"),
    ):
        page.goto(
            f"{served.ui}/artifacts/artifact/{served.artifacts(run_id)[f'demo-{name}']['id']}"
        )
        page.get_by_text(words).first.wait_for()
        if name == "lineage":
            browser.keep("ui_lineage")


def follow_the_links(browser: Browser, served: Served, run_id: str) -> None:
    """From the run's artifact to its Data Docs, its report, the list of runs and a rejected dialogue."""
    page = browser.page
    page.goto(f"{served.ui}/artifacts/artifact/{served.artifacts(run_id)['demo-data-docs']['id']}")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Data Docs of demo").click()
    docs = opened.value
    docs.set_default_timeout(PATIENCE_MS)
    docs.set_viewport_size({"width": 1100, "height": 820})
    look = Browser(docs, browser.pictures)
    docs.wait_for_load_state()
    assert docs.url == f"http://127.0.0.1:{served.port + 1}/docs/demo/run-{run_id}.html"
    assert run_id in docs.inner_text("main")
    docs.get_by_role("link", name="paper").first.click()
    docs.get_by_text("Attempt 1: suite paper").first.wait_for()
    look.keep("data_docs")
    docs.locator(".evidence a").first.click()
    docs.get_by_text("Rules broken").first.wait_for()
    docs.locator(".lede a", has_text=re.compile("^1$")).click()  # the attempt that was rejected
    docs.locator("#dialogue .broken").first.evaluate(
        "one => one.scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    look.keep("browser")
    docs.go_back()
    docs.go_back()
    docs.get_by_role("link", name="All gates").click()
    docs.get_by_role("link", name="Report").click()
    docs.locator("#popularity").scroll_into_view_if_needed()
    docs.evaluate("document.querySelector('#popularity h2').scrollIntoView({behavior: 'instant'})")
    look.keep("report")
    docs.get_by_role("link", name="All runs").click()
    docs.get_by_role("link", name=f"Report of run {run_id}").wait_for()
