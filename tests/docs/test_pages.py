"""The pages hang together: every one is linked, every link leads somewhere, and what they claim to run runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from flows.cli import app
from flows.pipeline import INGEST, PLAN, PREPROCESS
from tasks.release import write_release
from tasks.settings import Home
from tasks.warehouse import TABLES
from tests.docs.test_reference import walk
from tests.support.small_warehouse import small_warehouse

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
PAGES = sorted([*PROJECT.glob("*.md"), *DOCS.glob("*.md"), PROJECT / "data" / "demo" / "README.md"])
STAGES = {"ingest": INGEST, "preprocess": PREPROCESS, "briefs": PLAN}


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the heading of each link that stays within the project."""
    for found in re.finditer(r"\]\(([^)\s]*)\)", page.read_text(encoding="utf-8")):
        if "://" not in found[1]:
            file, _, heading = found[1].partition("#")
            yield file, heading


def headings(page: Path) -> set[str]:
    """Return a page's headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, heading in links(page):
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name} links {file}"
        assert not heading or heading in headings(target), f"{page.name} links {file}#{heading}"


def test_no_page_is_left_out() -> None:
    linked = {(DOCS / file).resolve() for file, _ in links(DOCS / "README.md")}
    assert (
        sorted(
            page.name
            for page in DOCS.glob("*.md")
            if page not in linked and page.name != "README.md"
        )
        == []
    )
    assert ("docs/README.md", "") in links(PROJECT / "README.md")
    pictures = {(page.parent / file).resolve() for page in PAGES for file, _ in links(page)}
    assert (
        sorted(picture.name for picture in (DOCS / "images").iterdir() if picture not in pictures)
        == []
    )


@pytest.mark.parametrize("page", ["ingest", "preprocess", "briefs", "dialogues", "repair"])
def test_a_stage_says_which_tables_it_reads_and_writes(page: str) -> None:
    rows = re.findall(
        r"^\| (.+) \| (.+) \|$",
        (DOCS / f"{page}.md").read_text(encoding="utf-8").split("\n\n")[1],
        re.MULTILINE,
    )
    cells = [re.findall(r"`(\w+)`", cell) for row in rows[1:] for cell in row]
    assert cells and {name for cell in cells for name in cell} <= set(TABLES)
    if page in STAGES:
        assert sorted(cells[-1]) == sorted(STAGES[page].writes)


def commands(page: Path) -> Iterator[str]:
    """Yield the redial commands a page shows: lines of code blocks, and code within a line."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(
        re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        + re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    )
    yield from re.findall(r"^(?:\S+/)?redial .*$", blocks, re.MULTILINE)
    yield from re.findall(r"`(redial [a-z][^`|]*)`", text)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "commands.md"],
    ids=lambda page: page.relative_to(PROJECT).as_posix(),
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


def test_the_reader_in_the_docs_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(
        r"^```python\n(.*?)^```",
        (DOCS / "release.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert code.count('"data/releases/demo/VERSION"') == 1
    folder = write_release(small_warehouse(), Home(data=tmp_path), "demo", run={}).path
    exec(code.replace('"data/releases/demo/VERSION"', repr(str(folder))), {})
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "ann 3 items known, 1 recommended",
        "1 Amélie & Co",
        "  user: I did not like The Mummy. Not at all.",
    ]
