"""Every page of a run passes axe in light and dark, and fits narrow screens.

Pages are tested as served, with the links they have then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from flows.options import BuildOptions
from flows.server.static_pages import pages_app
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.axe import grave_findings
from tests.support.chromium import CHROMIUM, Opened, browser_page
from tests.support.plain_build import plain_build
from tests.support.served_app import served_app

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
pytest.importorskip("axe_playwright_python")
SPOILT = {"garbled": 0.3, "ungrounded": 0.3, "cut_off": 0.1}
WIDTHS = (360, 600, 800)


@dataclass(frozen=True)
class ServedPages:
    """Where pages are served, and the paths of one of each kind."""

    address: str
    paths: list[str]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPages]:
    """The pages of a build of the demo, many dialogues rejected, served with the browser."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    options = BuildOptions(
        max_dialogues=30, max_attempts=2, settings={"generate": {"misbehave": SPOILT}}
    )
    plain_build(home, "demo", options)
    with read_warehouse(home.warehouse("demo")) as con:
        rejected = con.execute(
            "SELECT dialogue_id FROM rejections ORDER BY ALL LIMIT 1"
        ).fetchall()[0][0]
        accepted = con.execute(
            "SELECT dialogue_id FROM verdicts WHERE verdict = 'accepted' ORDER BY ALL LIMIT 1"
        ).fetchall()[0][0]
    files = [
        path.relative_to(home.data).as_posix()
        for path in sorted(home.data.glob("*/demo/**/*.html"))
        if path.name != "index.html"
    ]
    dialogues = [
        "domains/demo",
        "domains/demo?rule=readable",
        f"domains/demo/{rejected}",
        f"domains/demo/{accepted}",
        "domains/nosuch",
    ]
    with served_app(pages_app(home)) as address:
        yield ServedPages(address, ["", *files, *dialogues])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_grave_finding_or_is_wider_than_the_screen(
    pages: ServedPages, scheme: str
) -> None:
    assert len(pages.paths) >= 12
    found: dict[str, list[str]] = {}  # by page and width
    too_wide: list[str] = []
    with browser_page(Opened(), offline=False, color_scheme=scheme, bypass_csp=True) as page:
        for path in pages.paths:
            page.goto(f"{pages.address}/{path}")
            page.set_viewport_size({"width": 1280, "height": 900})
            found[path] = grave_findings(page)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    too_wide.append(f"{path} at {width}")
            page.set_viewport_size({"width": WIDTHS[0], "height": 800})
            # What scrolls there must be reached by keys.
            found[f"{path} at {WIDTHS[0]}"] = grave_findings(page)
    assert {path: findings for path, findings in found.items() if findings} == {}
    assert too_wide == []
