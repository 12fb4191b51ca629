"""The comparison's page shows hostile texts as text, fits narrow screens and passes axe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.diff import Diff, Side, Turn, compare_sides, read_turns_of, render_diff
from tasks.diff.values import ComparedDialogue
from tasks.settings import Home
from tests.support.axe import grave_findings
from tests.support.chromium import CHROMIUM, Opened, browser_page
from tests.support.report_warehouse import HOSTILE

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here"),
    pytest.mark.parametrize("scheme", ["light", "dark"]),
]
WIDTHS = (1280, 360)


def hostile_side(name: str, verdict: str) -> Side:
    dialogue = ComparedDialogue(
        "a" * 16,
        user_id=HOSTILE,
        template_id=HOSTILE,
        items=("i",),
        verdict=verdict,
        text_hash=verdict,
        broken=frozenset({HOSTILE}),
    )
    settings = {"x" + HOSTILE: name + HOSTILE}
    return Side(name + HOSTILE, "domain", settings=settings, dialogues=(dialogue,), complete=True)


def hostile_turns(side: Side, _: str) -> list[Turn]:
    return [Turn.of(1, "user", side.name), Turn.of(2, "agent", HOSTILE)]


def test_the_page_shows_hostile_texts_and_fits_a_narrow_screen(tmp_path: Path, scheme: str) -> None:
    diff = compare_sides(hostile_side("one", "accepted"), hostile_side("two", "rejected"))
    text = render_diff(diff, hostile_turns)
    assert "<script" not in text
    assert "<img" not in text
    page = tmp_path / "page.html"
    page.write_text(text, encoding="utf-8")
    seen = Opened()
    narrow = {"width": 390, "height": 800}
    with browser_page(seen, offline=True, color_scheme=scheme, viewport=narrow) as opened:
        opened.goto(page.as_uri())
        assert opened.title() != "owned"
        assert opened.locator("table.beside tr.other").count() == 1
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(21, 24, 28)") == (scheme == "dark")
    assert seen.problems == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []


def test_the_page_has_no_grave_finding(
    built: Home, compared: Diff, tmp_path: Path, scheme: str
) -> None:
    pytest.importorskip("axe_playwright_python")
    page = tmp_path / "page.html"
    page.write_text(
        render_diff(compared, lambda side, name: read_turns_of(built, side, name)),
        encoding="utf-8",
    )
    findings: dict[int, list[str]] = {}
    with browser_page(Opened(), offline=True, color_scheme=scheme, bypass_csp=True) as opened:
        opened.goto(page.as_uri())
        for details in opened.locator("details").all():
            details.evaluate("element => element.open = true")
        for width in WIDTHS:
            opened.set_viewport_size({"width": width, "height": 900})
            findings[width] = grave_findings(opened)
    assert findings == {width: [] for width in WIDTHS}
