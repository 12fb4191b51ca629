"""The pages are consistent: each is linked, each link resolves, and each command shown exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from flows.cli import app
from flows.pipeline import INGEST, PLAN, PREPROCESS
from tasks.warehouse import TABLES
from tests.docs.pages import DOCS, PAGES, PROJECT, commands, headings, links, page_name
from tests.docs.test_reference import walk

EXPLANATION = DOCS / "explanation"
STAGES = {"ingest": INGEST, "preprocess": PREPROCESS, "briefs": PLAN}
LONGEST_LINE = 100
LONGEST_OUTPUT = 130  # of what a program printed


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, heading in links(page):
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name} links {file}"
        assert not heading or heading in headings(target), f"{page.name} links {file}#{heading}"


def test_no_page_is_left_out() -> None:
    linked = {(DOCS / file).resolve() for file, _ in links(DOCS / "README.md")}
    pages = {page for page in DOCS.rglob("*.md") if page != DOCS / "README.md"}
    assert sorted(page_name(page) for page in pages - linked) == []
    assert ("docs/README.md", "") in links(PROJECT / "README.md")
    pictures = {(page.parent / file).resolve() for page in PAGES for file, _ in links(page)}
    assert sorted(page_name(one) for one in set((DOCS / "images").iterdir()) - pictures) == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_lines_are_short(page: Path) -> None:
    too_long, in_code = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            in_code = not in_code
        longest = LONGEST_OUTPUT if in_code else LONGEST_LINE
        exempt = line.startswith("|") or "://" in line or re.search(r"\]\(\S*$", line)
        if len(line) > longest and not exempt:
            too_long.append(line)
    assert too_long == []


@pytest.mark.parametrize("page", ["ingest", "preprocess", "briefs", "dialogues", "repair"])
def test_a_stage_says_which_tables_it_reads_and_writes(page: str) -> None:
    rows = re.findall(
        r"^\| (.+) \| (.+) \|$",
        (EXPLANATION / f"{page}.md").read_text(encoding="utf-8").split("\n\n")[1],
        re.MULTILINE,
    )
    cells = [re.findall(r"`(\w+)`", cell) for row in rows[1:] for cell in row]
    assert cells and {name for cell in cells for name in cell} <= set(TABLES)
    if page in STAGES:
        assert sorted(cells[-1]) == sorted(STAGES[page].writes)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "commands.md"], ids=page_name
)
def test_every_command_shown_is_there(page: Path) -> None:
    known = dict(walk("redial", typer.main.get_command(app)))
    for shown in commands(page):
        words = shlex.split(shown.replace("[", " ").replace("]", " "), comments=True)
        path = next((name for name in known if words[: len(name.split())] == name.split()), None)
        groups = {name.rsplit(" ", 1)[0] for name in known}
        assert path or " ".join(words) in groups, f"{page.name}: {shown}"
        options = (
            {option for parameter in known[path].params for option in parameter.opts}
            if path
            else set()
        )
        unknown = [
            word
            for word in words
            if word.startswith("--") and word.split("=")[0] not in options | {"--help", "--data"}
        ]
        assert unknown == [], f"{page.name}: {shown}"
