"""Opens pages in a real headless browser that reaches no network, and tells what it saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--no-first-run"]  # fmt: skip


@dataclass
class Opened:
    """What opening a page showed: console errors, requests for anything but the page, its title and text, seconds until it was loaded."""

    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    title: str = ""
    text: str = ""
    seconds: float = 0.0


@contextmanager
def browser_page(
    seen: Opened, *, offline: bool, arguments: Sequence[str] = (), **options: Any
) -> Iterator[Any]:
    """Yield a page of a fresh browser; what goes wrong on it is noted in `seen`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=[*ARGUMENTS, *arguments]
        )
        page = browser.new_context(offline=offline, **options).new_page()
        page.on(
            "console",
            lambda message: seen.problems.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: seen.problems.append(str(error)))
        page.on(
            "dialog",
            lambda dialog: seen.problems.append(f"dialog {dialog.message}") or dialog.dismiss(),
        )
        page.on("request", lambda request: seen.requests.append(request.url))
        yield page
        browser.close()


def log_in(page: Any, login: str) -> None:
    """Answer the Prefect UI's question for its login, user:password."""
    asked = page.locator("input[type=password]").first
    asked.fill(login)
    asked.press("Enter")
    asked.wait_for(state="detached")


def wait_for_page(page: Any, selector: str) -> None:
    """Wait until a page shows `selector` and its scripts have run, so that keys reach them.

    The selector alone is there while the page is still read: a key pressed then is lost.
    """
    page.wait_for_selector(selector)
    page.wait_for_load_state("load")


def follow(page: Any, selector: str) -> None:
    """Click what leads to another page, and wait until that one is loaded.

    A click returns before the next page is there: what is read then may be the page left behind.
    """
    with page.expect_navigation():
        page.click(selector)


def opened(file: Path) -> Opened:
    """Open a file with the network cut."""
    seen = Opened()
    with browser_page(seen, offline=True) as page:
        page.goto(file.as_uri())
        seen.title, seen.text = page.title(), page.inner_text("body")
        timing = page.evaluate(
            "() => { const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd - t.startTime; }"
        )
        seen.seconds = timing / 1000
        seen.requests = [
            url for url in seen.requests if url != file.as_uri() and not url.startswith("data:")
        ]
    return seen
