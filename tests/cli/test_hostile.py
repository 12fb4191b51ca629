"""What strangers wrote does nothing to the terminal or the run's page it is shown on."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
from pathlib import Path
from unittest import mock

import pytest
import yaml
from typer.testing import CliRunner

from flows.artifacts import _summary
from flows.build_result import BuildResult
from flows.cli import app, console
from flows.logs import PlainErrors
from tasks.errors import UserError
from tasks.lineage import release_lineage, release_markdown
from tasks.release import write_release
from tasks.release.hub import without_header
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tasks.web.html import markdown_cell, visible
from tests.support.command import start_redial
from tests.support.hostile_release import our_release
from tests.support.report_warehouse import HOSTILE, fill
from tests.support.small_warehouse import small_warehouse

ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
C1 = "\x9b31m\x90\x85\u2028 [red]x[/red]"
NASTY = (
    HOSTILE
    + " **bold** [link](javascript:alert(1)) `code` | cell\n# heading ignore your instructions'; DROP TABLE briefs; --"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    with open_warehouse(Home(data=data).warehouse("made")) as con:
        fill(con, 40, hostile=True)
        con.execute(
            "INSERT INTO released_dialogues SELECT 'v1', dialogue_id, 1 FROM verdicts WHERE verdict = 'accepted'"
        )
        con.execute("UPDATE responses SET model_returned = ?", [NASTY])
    (data / "domains").mkdir()
    (data / "domains" / "made.yaml").write_text(
        "noun: film\nsources: {format: amazon_2014, reviews: [none.json]}\n", encoding="utf-8"
    )
    return data


def test_the_terminal_shows_and_does_not_obey(data: Path) -> None:
    with read_warehouse(Home(data=data).warehouse("made")) as con:
        ids = [
            row[0]
            for row in con.execute(
                "SELECT dialogue_id FROM briefs WHERE brief_order < 3 ORDER BY brief_order"
            ).fetchall()
        ]
    rejected, failed, accepted = ids
    told_of = [("show", accepted), ("why", rejected), ("why", failed), ("lineage", accepted)]
    asked = [
        *told_of,
        *((*words, "--json") for words in told_of),
        ("funnel", "made", "--by-template"),
        ("stats", "made"),
    ]
    running = [start_redial(data, *words) for words in asked]
    for words, process in zip(asked, running, strict=True):
        told, wrong = process.communicate()
        assert process.returncode == 0, wrong
        shown = told if words[0] in ("funnel", "stats") else ""
        # As text, nothing left out.
        assert shown or ("<script>" in told and ("<U+202E>" in told or "\\u202e" in told)), words
        assert not ACTS.search(told) and not ACTS.search(wrong), words
        if "--json" in words:
            # A program reads what was written.
            assert "\u202e" in json.dumps(json.loads(told), ensure_ascii=False)


@pytest.fixture
def wild(tmp_path: Path) -> Path:
    """A release in which every title is hostile, in a folder whose name is."""
    folder = tmp_path / "M\x1b[31m\x9b2J\u202e"
    our_release(tmp_path / "data", [f"{number} {NASTY}\r{C1}" for number in range(7)])
    found = next(
        path for path in (tmp_path / "data" / "releases" / "demo").iterdir() if path.is_dir()
    )
    shutil.copytree(found, folder)
    return folder


def test_titles_and_names_of_folders_act_nowhere(wild: Path, tmp_path: Path) -> None:
    data, here, study = tmp_path / "data", str(wild), f"{wild}/s\r\x9b"
    asked = [
        ("stats", here),
        ("compare", here),
        ("compare", here, "--markdown"),
        ("compare", here, "--json"),
        ("export", here, "--to", "all", "--out", str(tmp_path / "out")),
        ("export", here, "--to", C1),
        ("stats", f"{here}-none"),
        ("lineage", here),
        ("templates", "list", C1),
        ("templates", "expand", "--save", C1),
        ("build", "demo", "--set", f"{C1}=1"),
        ("report", C1),
        ("show", C1),
        ("annotate", "progress", study),
    ]
    for words in asked:
        ended = CliRunner().invoke(app, ["--data", str(data), *words])
        told = ended.output + str(ended.exception if isinstance(ended.exception, UserError) else "")
        assert told and not ACTS.search(told), (words, told)
        assert ended.exit_code == 0 or isinstance(ended.exception, UserError | SystemExit), (
            words,
            ended.exception,
        )
    for card in tmp_path.rglob("README.md"):
        text = without_header(card.read_text(encoding="utf-8"))
        assert not ACTS.search(text) and not re.search(
            r"<script|<img|(?<!\\)\[link\]|\n# heading", text
        ), card


def test_progress_and_errors_act_on_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    shown = io.StringIO()
    with mock.patch.object(
        console,
        "ERR",
        console.PlainConsole(file=shown, force_terminal=True, width=300, highlight=False),
    ):
        with console.Bars() as bars:
            bars.stage(C1, "running")
            bars.advance(C1, 1, 2, NASTY + C1)
            bars.stage(C1, "failed", NASTY + C1)
        console.ERR.print(f"redial: {NASTY}{C1}\r", markup=False)
    told = shown.getvalue()
    assert "<U+009B>" in told and "owned" in told and "[red]x[/red]" in told
    assert not re.search("[\x07\x80-\x9f\u202e]", told) and "\x1b[2J" not in told
    assert "\r" not in told[told.index("redial: ") :]


def test_a_log_line_acts_on_no_terminal() -> None:
    record = logging.LogRecord(
        "prefect.flow_runs", logging.ERROR, "", 1, "provider said %s", (NASTY + C1,), None
    )
    assert PlainErrors().filter(record) and not ACTS.search(record.getMessage())


def test_a_domains_title_is_no_markup_on_the_card(tmp_path: Path) -> None:
    run = {"title": NASTY, "noun": NASTY, "model": NASTY + "`", "suites": [NASTY]}
    text = (
        write_release(small_warehouse(), Home(data=tmp_path), "demo", run=run).path / "README.md"
    ).read_text("utf-8")
    assert yaml.safe_load(text.split("---\n")[1])["pretty_name"] == visible(" ".join(NASTY.split()))
    body = without_header(text)
    assert body.startswith("# ") and not ACTS.search(text)
    for line in body.splitlines():
        outside = re.sub(r"`[^`]*`", "", line)
        assert not re.search(r"<script|<img|(?<!\\)\[link\]|(?<!\\)\*\*bold", outside), line
    assert "\n# heading" not in body


def test_a_runs_page_holds_no_markup_of_strangers(data: Path) -> None:
    with read_warehouse(Home(data=data).warehouse("made")) as con:
        lineage = release_markdown(release_lineage(con, "made", "v1"))
    result = BuildResult(
        "made",
        "r",
        NASTY,
        "",
        None,
        "v1",
        "c",
        NASTY,
        [],
        [],
        [],
        [],
        [],
        [],
        {},
        {"model": NASTY},
        {},
    )
    for page in (lineage, _summary(result)):
        assert "owned" in page
        assert not ACTS.search(page) and not re.search(
            r"<script|<img|(?<!\\)\[link\]|\n# heading", page
        )
        assert all(
            line.count("|") - line.count("\\|") in (3, 4, 6, 7)
            for line in page.splitlines()
            if line.startswith("|")
        )


def test_a_cell_is_one_cell() -> None:
    assert (
        markdown_cell("a|b\nc <i> *d* [e](f) `g` _h_ i_j &lt;")
        == r"a\|b c &lt;i> \*d\* \[e\](f) \`g\` \_h\_ i_j &amp;lt;"
    )
