"""Data Docs need no internet, and show what people and models wrote as text, never as markup."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tasks.dialogues import parse_transcripts
from tasks.errors import UserError
from tasks.quality import (
    has_passed_published_gate,
    judge,
    read_gates,
    set_verdicts,
    validate_published,
)
from tasks.repair import forget_attempts
from tasks.reports.builds import LastBuild
from tasks.reports.data_docs import render_data_docs
from tasks.settings import Domain, Home
from tests.support import conversations as made
from tests.support.chromium import CHROMIUM, Opened, browser_page, follow
from tests.support.rules import rules_of

MakeDomain = Callable[..., Domain]
CATALOGUE = made.titles(80)
SCRIPT = (
    "<script>document.title='broken in'</script>"
    "<img src=https://example.invalid/x.png onerror=alert(1)> **bold** {{ 7*7 }}"
)


@pytest.fixture(scope="module")
def judged_once(tmp_path_factory: pytest.TempPathFactory, domain: MakeDomain) -> Path:
    """A warehouse after both gates, with two good dialogues and one with markup as its evidence."""
    folder = tmp_path_factory.mktemp("judged")
    home = Home(data=folder)
    some = [made.conversation(number, CATALOGUE) for number in range(3)]
    con = made.warehouse(some, CATALOGUE)
    # Where the user should accept.
    spoiled = some[0].with_turns([*some[0].turns[:4], ("user", SCRIPT), some[0].turns[5]])
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
    judge(con, rules_of(home, chosen), chosen, 1)
    set_verdicts(con)
    validate_published(con, home, rules_of(home, chosen), chosen)
    con.execute(f"ATTACH '{folder / 'judged.duckdb'}' AS kept")
    con.execute("COPY FROM DATABASE memory TO kept")
    con.close()
    return folder / "judged.duckdb"


@pytest.fixture
def judged(judged_once: Path, tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A copy of it that a test may change."""
    return duckdb.connect(shutil.copy(judged_once, tmp_path / "judged.duckdb"))


@pytest.fixture
def pages(judged: duckdb.DuckDBPyConnection, domain: MakeDomain) -> dict[str, str]:
    """The pages made of it, by their place."""
    index, below = render_data_docs(
        LastBuild(domain(name="docs"), run_id="r"), read_gates(judged), []
    )
    return {"run-r.html": index, **{f"run-r/{name}": text for name, text in below.items()}}


@pytest.fixture
def folder(pages: dict[str, str], tmp_path: Path) -> Path:
    """The pages as files."""
    for name, text in pages.items():
        page = tmp_path / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    return tmp_path / "pages"


def test_pages_of_each_gate_and_no_markup_of_others(pages: dict[str, str]) -> None:
    assert sorted(pages) == [
        "run-r.html",
        "run-r/attempt-1-grounded.html", "run-r/attempt-1-paper.html",
        "run-r/published-grounded.html", "run-r/published-paper.html",
    ]  # fmt: skip
    for text in pages.values():
        assert "<script" not in text and "<img" not in text
        assert not re.search(r"""<[^>]*\s(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", text)
    shown = pages["run-r/attempt-1-grounded.html"]
    assert (
        "&lt;script&gt;document.title=" in shown and "Great Expectations on dialogue_facts" in shown
    )
    assert (
        "completely-generated: The dialogue was generated to its end."
        in pages["run-r/attempt-1-paper.html"]
    )


def test_no_debris_of_how_great_expectations_was_called(pages: dict[str, str]) -> None:
    for text in pages.values():
        for debris in (
            "DATAFRAME",
            "__none__",
            "PandasDataFrame",
            "Data asset",
            "ge_load_time",
            "Success Percent",
            "fa-",
        ):
            assert debris not in text


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_pages_are_whole_and_styled_with_the_network_cut(folder: Path) -> None:
    seen = Opened()
    with browser_page(seen, offline=True) as page:
        for path in folder.rglob("*.html"):
            page.goto(path.as_uri())
            assert (
                page.locator("th").first.evaluate("cell => getComputedStyle(cell).fontWeight")
                == "600"
            ), f"{path.name} is not styled"
            assert page.locator("h1").inner_text()
            assert page.title() != "broken in"
        page.goto((folder / "run-r.html").as_uri())
        follow(page, "a:text-is('grounded') >> nth=0")
        assert "Attempt 1: suite grounded" in page.locator("h1").inner_text()
        # The turn breaks two rules.
        assert page.get_by_text("document.title='broken in'").count() == 2
        follow(page, "a:has-text('All gates')")
        assert page.locator("#gates tbody tr").count() == 2
    assert seen.problems == []
    assert {url.split(":")[0] for url in seen.requests} <= {"file", "data"}


def test_a_gate_that_judges_anew_takes_the_last_one_away(
    home: Home, domain: MakeDomain, judged: duckdb.DuckDBPyConnection
) -> None:
    assert [gate.gate for gate in read_gates(judged)] == [
        "attempt-1",
        "published",
    ] and has_passed_published_gate(judged)
    chosen = domain("paper", name="docs")
    judge(judged, rules_of(home, chosen), chosen, 1)
    (gate,) = read_gates(judged)
    assert [suite.suite for suite in gate.suites] == ["paper"] and not has_passed_published_gate(
        judged
    )


def test_attempts_that_are_forgotten_take_their_gates_with_them(
    judged: duckdb.DuckDBPyConnection,
) -> None:
    forget_attempts(judged, 1)
    assert judged.execute("SELECT count(*) FROM gates").fetchall() == [(0,)]


def test_what_is_published_must_pass_whole(home: Home, domain: MakeDomain) -> None:
    some = [made.conversation(number, CATALOGUE) for number in range(4)]
    con = made.warehouse(some, CATALOGUE)
    made.answer(con, [(one.dialogue_id, one.grounded()) for one in some[:3]], "grounded")
    chosen = domain()
    parse_transcripts(con, chosen, 1)
    judge(con, rules_of(home, chosen), chosen, 1)
    set_verdicts(con)
    before = [
        con.execute(f"FROM {table}").fetchall()
        for table in ("dialogues", "utterances", "dialogue_facts", "rejections", "verdicts")
    ]
    counts = validate_published(con, home, rules_of(home, chosen), chosen)
    assert (counts.dialogues, counts.rules) == (3, 29)
    assert [
        con.execute(f"FROM {table}").fetchall()
        for table in ("dialogues", "utterances", "dialogue_facts", "rejections", "verdicts")
    ] == before
    released = con.sql("SELECT dialogue_id, turn, role, text FROM utterances").pl()
    assert validate_published(con, home, rules_of(home, chosen), chosen, released).dialogues == 3
    with pytest.raises(UserError, match="are not those"):
        validate_published(con, home, rules_of(home, chosen), chosen, released[1:])
    spoiled = released.clone()
    spoiled[4, "text"] = "Thanks, I will write to a@b.org."
    with pytest.raises(
        UserError, match="1 dialogues break a rule as they would be published, .*: no-personal-data"
    ):
        validate_published(con, home, rules_of(home, chosen), chosen, spoiled)
    con.execute("UPDATE utterances SET text = 'As an AI I pass. You?' WHERE turn = 2")
    with pytest.raises(
        UserError, match="3 dialogues break a rule as they would be published, .*: no-goal-wording"
    ):
        validate_published(con, home, rules_of(home, chosen), chosen)
