"""Data Docs are read without internet, and show what people and models wrote as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.dialogues import parse_transcripts
from tasks.errors import UserError
from tasks.quality import judge, set_verdicts, validate_published
from tasks.settings import Domain, Home
from tests.support import conversations as made

MakeDomain = Callable[..., Domain]
CATALOGUE = made.titles(80)
SCRIPT = "<script>document.title='broken in'</script><img src=https://example.invalid/x.png onerror=alert(1)> **bold** {{ 7*7 }}"
CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def docs(home: Home, domain: MakeDomain) -> Path:
    """The index page after a gate with a sound dialogue, one whose evidence is markup, and the last gate."""
    some = [made.conversation(number, CATALOGUE) for number in range(3)]
    con = made.warehouse(some, CATALOGUE)
    spoiled = some[0].with_turns(
        [*some[0].turns[:4], ("user", SCRIPT), some[0].turns[5]]
    )  # where the user should accept
    made.answer(
        con,
        [
            (spoiled.dialogue_id, spoiled.grounded()),
            *((one.dialogue_id, one.grounded()) for one in some[1:]),
        ],
        "grounded",
    )
    chosen = domain(name="docs")
    parse_transcripts(con, chosen, 1)
    index = judge(con, home, chosen, 1).docs
    set_verdicts(con)
    assert validate_published(con, home, chosen).docs == index
    assert index is not None
    return index


def test_pages_of_each_gate_and_no_markup_of_others(docs: Path) -> None:
    assert sorted(str(path.relative_to(docs.parent)) for path in docs.parent.rglob("*.html")) == [
        "attempt-1/grounded.html", "attempt-1/paper.html", "index.html", "published/grounded.html", "published/paper.html",
    ]  # fmt: skip
    for page in docs.parent.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text and "<img" not in text
        assert not re.search(r"""<[^>]*\s(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", text)
    shown = (docs.parent / "attempt-1" / "grounded.html").read_text(encoding="utf-8")
    assert (
        "&lt;script&gt;document.title=" in shown and "Great Expectations on dialogue_facts" in shown
    )
    assert "completely-generated: The dialogue was generated to its end." in (
        docs.parent / "attempt-1" / "paper.html"
    ).read_text(encoding="utf-8")


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_pages_are_whole_and_styled_with_the_network_cut(docs: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        page = browser.new_context(offline=True).new_page()
        failed: list[str] = []
        asked: list[str] = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: failed.append(message.text))
        for path in docs.parent.rglob("*.html"):
            page.goto(path.as_uri())
            assert (
                page.locator("th").first.evaluate("cell => getComputedStyle(cell).fontWeight")
                == "600"
            ), f"{path.name} is not styled"
            assert page.locator("h1").inner_text()
            assert page.title() != "broken in"
        page.goto(docs.as_uri())
        page.get_by_role("link", name="grounded").first.click()
        assert "Attempt 1: suite grounded" in page.locator("h1").inner_text()
        assert page.get_by_text("document.title='broken in'").count() == 1
        page.get_by_role("link", name="All gates").click()
        assert page.locator("tbody tr").count() == 4
        browser.close()
    assert failed == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}


def test_a_new_run_takes_the_old_pages_away(home: Home, domain: MakeDomain, docs: Path) -> None:
    con = made.warehouse([made.conversation(5, CATALOGUE)], CATALOGUE)
    one = made.conversation(5, CATALOGUE)
    made.answer(con, [(one.dialogue_id, one.grounded())], "grounded")
    parse_transcripts(con, domain(), 1)
    judge(con, home, domain("paper", name="docs"), 1)
    assert sorted(str(path.relative_to(docs.parent)) for path in docs.parent.rglob("*.html")) == [
        "attempt-1/paper.html",
        "index.html",
    ]
    assert "published" not in docs.read_text(encoding="utf-8").lower()


def test_a_folder_that_cannot_be_written_is_one_clear_line(home: Home, domain: MakeDomain) -> None:
    home.data_docs("blocked").parent.mkdir(parents=True)
    home.data_docs("blocked").write_text("in the way", encoding="utf-8")
    one = made.conversation(0, CATALOGUE)
    con = made.warehouse([one], CATALOGUE)
    made.answer(con, [(one.dialogue_id, one.grounded())], "grounded")
    parse_transcripts(con, domain(), 1)
    with pytest.raises(UserError, match="cannot be written"):
        judge(con, home, domain(name="blocked"), 1)


def test_what_is_published_must_pass_whole(home: Home, domain: MakeDomain) -> None:
    some = [made.conversation(number, CATALOGUE) for number in range(4)]
    con = made.warehouse(some, CATALOGUE)
    made.answer(con, [(one.dialogue_id, one.grounded()) for one in some[:3]], "grounded")
    chosen = domain()
    parse_transcripts(con, chosen, 1)
    judge(con, home, chosen, 1)
    set_verdicts(con)
    before = [
        con.execute(f"FROM {table}").fetchall()
        for table in ("dialogues", "utterances", "dialogue_facts", "rejections", "verdicts")
    ]
    counts = validate_published(con, home, chosen)
    assert (counts.dialogues, counts.rules) == (3, 18)
    assert [
        con.execute(f"FROM {table}").fetchall()
        for table in ("dialogues", "utterances", "dialogue_facts", "rejections", "verdicts")
    ] == before
    released = con.sql("SELECT dialogue_id, turn, role, text FROM utterances").pl()
    assert validate_published(con, home, chosen, released).dialogues == 3
    with pytest.raises(UserError, match="are not those"):
        validate_published(con, home, chosen, released[1:])
    spoiled = released.clone()
    spoiled[4, "text"] = "Thanks, I will write to a@b.org."
    with pytest.raises(
        UserError, match="1 dialogues break a rule as they would be published, .*: no-personal-data"
    ):
        validate_published(con, home, chosen, spoiled)
    con.execute("UPDATE utterances SET text = 'As an AI I pass.' WHERE turn = 2")
    with pytest.raises(
        UserError, match="3 dialogues break a rule as they would be published, .*: no-goal-wording"
    ):
        validate_published(con, home, chosen)
