"""The lineage page has the warehouse's counts and ids, needs nothing else, and is accessible."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.trace import trace, write_lineage_page
from tasks.errors import UserError
from tasks.lineage import DialogueLineage
from tasks.release import ReleaseInfo
from tasks.settings import Home
from tasks.warehouse import TABLES, open_warehouse
from tests.support.axe import grave_findings
from tests.support.chromium import CHROMIUM, Opened, browser_page
from tests.support.demo_stages import TABLES_OF_NO_STAGE
from tests.support.plain_build import BuiltDemo

browser = pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")


@pytest.fixture(scope="module")
def home(repaired_demo: BuiltDemo) -> Home:
    return repaired_demo.home


@pytest.fixture(scope="module")
def release(repaired_demo: BuiltDemo) -> ReleaseInfo:
    return repaired_demo.release


@pytest.fixture(scope="module")
def repaired(home: Home, release: ReleaseInfo) -> str:
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        return str(
            con.execute(
                "SELECT dialogue_id FROM released_dialogues WHERE attempt = 2 ORDER BY 1"
            ).fetchall()[0][0]
        )


@pytest.fixture(scope="module")
def page(home: Home, repaired: str) -> Path:
    return write_lineage_page(home, repaired, home.data / "pages" / "lineage.html")


def test_the_page_counts_what_the_warehouse_holds(home: Home, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        for name in set(TABLES) - TABLES_OF_NO_STAGE:
            (rows,) = con.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
            assert f'<td>{name}</td><td class="number">{rows:,}</td>' in text, name
            assert f'aria-label="{name}, {rows:,} row{"" if rows == 1 else "s"}"' in text, name
        for stage, rows in con.execute(
            "SELECT stage, rows FROM stages WHERE stage NOT LIKE '%-%'"
        ).fetchall():
            assert f'aria-label="{stage}, {rows:,} rows"' in text, stage
        one, two = (
            rows
            for (rows,) in con.execute(
                "SELECT rows FROM stages WHERE stage LIKE 'generate-%' ORDER BY stage"
            ).fetchall()
        )
    assert f'aria-label="generate, {one:,} + {two:,} rows"' in text


def test_the_path_holds_every_id_on_the_way(
    home: Home, page: Path, repaired: str, release: ReleaseInfo
) -> None:
    traced = trace(home, repaired)
    assert isinstance(traced, DialogueLineage)
    assert len(traced.attempts) == 2
    text = page.read_text(encoding="utf-8")
    keys = [one.request_key for attempt in traced.attempts for one in attempt.asked]
    rules = [str(fault["rule"]) for attempt in traced.attempts for fault in attempt.broken]
    reviews = [str(row["review_id"]) for row in traced.reviews if row["review_id"]]
    files = [str(row["sha256"]) for row in traced.sources]
    named = [
        repaired,
        release.version,
        str(traced.brief["template_id"]),
        *keys,
        *rules,
        *reviews,
        *files,
    ]
    assert keys
    assert rules
    assert reviews
    assert [name for name in named if name not in text] == []


def test_every_box_leads_to_its_place_on_the_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ids = re.findall(r' id="([^"]+)"', text)
    leads = re.findall(r' href="#([^"]+)"', text)
    assert len(set(ids)) == len(ids)
    assert len(leads) > 35
    assert set(leads) <= set(ids)


def test_a_domain_and_a_release_show_the_path_of_one_of_their_dialogues(
    home: Home, release: ReleaseInfo, tmp_path: Path
) -> None:
    for of in ("demo", release.version, "demo/latest"):
        text = write_lineage_page(home, of, tmp_path / "page.html").read_text(encoding="utf-8")
        assert "<title>Lineage of demo</title>" in text
        assert "The path of dialogue" in text
        assert f'id="d-release-{release.version}"' in text


def test_words_of_others_do_nothing_on_the_page(
    home: Home, release: ReleaseInfo, repaired: str, tmp_path: Path
) -> None:
    other = Home.find(tmp_path)
    other.warehouse("demo").parent.mkdir(parents=True)
    shutil.copy(home.warehouse("demo"), other.warehouse("demo"))
    wild = "</svg><script>alert(1)</script>\u202e"
    with open_warehouse(other.warehouse("demo")) as con:
        con.execute("UPDATE brief_items SET title = ? WHERE dialogue_id = ?", [wild, repaired])
        con.execute("UPDATE briefs SET user_id = ? WHERE dialogue_id = ?", [wild, repaired])
        con.execute("UPDATE transcripts SET error = ? WHERE dialogue_id = ?", [wild, repaired])
    text = write_lineage_page(other, repaired, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_warehouse_without_a_brief_says_so(tmp_path: Path) -> None:
    home = Home.find(tmp_path)
    with open_warehouse(home.warehouse("demo")):
        pass
    text = write_lineage_page(home, "demo", tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No brief is planned yet" in text
    assert 'aria-label="release, not yet"' in text


def test_a_mistake_is_one_line(home: Home, release: ReleaseInfo, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the page cannot be written to"):
        write_lineage_page(home, "demo", tmp_path)
    with pytest.raises(UserError, match="there is no warehouse"):
        write_lineage_page(home, "books", tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_page(home: Home, repaired: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    done = CliRunner().invoke(
        app, ["--data", str(home.data), "lineage", repaired[:10], "--page", str(path)]
    )
    assert done.exit_code == 0
    assert done.stdout == f"lineage page: {path}\n"
    assert repaired in path.read_text(encoding="utf-8")


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_whole_narrow_and_accessible(page: Path, scheme: str) -> None:
    seen = Opened()
    with browser_page(seen, offline=True, color_scheme=scheme, bypass_csp=True) as opened:
        for width in (1280, 360):
            opened.set_viewport_size({"width": width, "height": 800})
            opened.goto(page.as_uri())
            assert grave_findings(opened) == []
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
        inner = opened.evaluate(
            "[...document.querySelectorAll('.box')].map(box => box.scrollWidth > box.clientWidth)"
        )
        assert inner[0]
        assert inner[1]
    assert seen.problems == []
    assert set(seen.requests) == {page.as_uri()}


@browser
def test_boxes_are_reached_and_followed_by_keys(page: Path) -> None:
    with browser_page(Opened(), offline=True) as opened:
        opened.goto(page.as_uri())
        for _ in range(3):
            # The scrolling box, then the first two boxes of the drawing.
            opened.keyboard.press("Tab")
        assert opened.evaluate("document.activeElement.tagName") == "a"
        target = opened.evaluate("document.activeElement.getAttribute('href')")
        opened.keyboard.press("Enter")
        assert opened.evaluate("location.hash") == target != ""
