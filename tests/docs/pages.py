"""The pages of the documentation: where they are, their links, headings, code blocks and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
PAGES = sorted(
    [*PROJECT.glob("*.md"), *DOCS.rglob("*.md"), PROJECT / "data" / "demo" / "README.md"]
)


def page_name(page: Path) -> str:
    """Return a page's path within the project."""
    return page.relative_to(PROJECT).as_posix()


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


def blocks(page: Path, language: str = r"\w*") -> list[str]:
    """Return the fenced code blocks of a page that are in a language; all without one."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page: Path) -> Iterator[str]:
    """Yield the redial commands a page shows: lines of code blocks, and code within a line."""
    text = page.read_text(encoding="utf-8")
    indented = re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    code = "\n".join([*blocks(page), *indented]).replace("\\\n", " ")
    yield from re.findall(r"^(?:\S+/)?redial .*$", code, re.MULTILINE)
    yield from re.findall(r"`(redial [a-z][^`|]*)`", text)
