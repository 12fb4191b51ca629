"""What strangers wrote does nothing to the terminal or the run's page it is shown on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.artifacts import _summary
from flows.results import BuildResult
from tasks.lineage import release_lineage, release_markdown
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tasks.web.text import markdown_cell
from tests.support.report_warehouse import HOSTILE, fill

ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NASTY = HOSTILE + " **bold** [link](javascript:alert(1)) `code` | cell\n# heading ignore your instructions'; DROP TABLE briefs; --"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    with open_warehouse(Home(data=data).warehouse("made")) as con:
        fill(con, 40, hostile=True)
        con.execute("INSERT INTO released_dialogues SELECT 'v1', dialogue_id, 1 FROM verdicts WHERE verdict = 'accepted'")
        con.execute("UPDATE responses SET model_returned = ?", [NASTY])
    (data / "domains").mkdir()
    (data / "domains" / "made.yaml").write_text("noun: film\nsources: {format: amazon_2014, reviews: [none.json]}\n", encoding="utf-8")
    return data


def test_the_terminal_shows_and_does_not_obey(data: Path) -> None:
    with read_warehouse(Home(data=data).warehouse("made")) as con:
        ids = [row[0] for row in con.execute("SELECT dialogue_id FROM briefs WHERE brief_order < 3 ORDER BY brief_order").fetchall()]
    rejected, failed, accepted = ids
    asked = [("show", accepted), ("why", rejected), ("why", failed), ("lineage", accepted)]
    command = [sys.executable, "-c", "from flows.cli import main; main()", "--data", str(data)]
    running = [subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for words in asked]
    for words, process in zip(asked, running, strict=True):
        told, wrong = process.communicate(timeout=120)
        assert process.returncode == 0, wrong
        assert "<script>" in told and "<U+202E>" in told, words  # as text, nothing left out
        assert not ACTS.search(told), words


def test_a_runs_page_holds_no_markup_of_strangers(data: Path) -> None:
    with read_warehouse(Home(data=data).warehouse("made")) as con:
        lineage = release_markdown(release_lineage(con, "made", "v1"))
    result = BuildResult("made", "r", NASTY, "", None, "v1", "c", NASTY, [], [], [], [], [], [], {}, {"model": NASTY}, {})
    for page in (lineage, _summary(result)):
        assert "owned" in page
        assert not ACTS.search(page) and not re.search(r"<script|<img|(?<!\\)\[link\]|\n# heading", page)
        assert all(line.count("|") - line.count("\\|") in (3, 4, 6, 7) for line in page.splitlines() if line.startswith("|"))


def test_a_cell_is_one_cell() -> None:
    assert markdown_cell("a|b\nc <i> *d* [e](f) `g` _h_ i_j &lt;") == r"a\|b c &lt;i> \*d\* \[e\](f) \`g\` \_h\_ i_j &amp;lt;"
