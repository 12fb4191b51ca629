"""Untrusted text made fit for a page: nothing in it acts, nothing in it hides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tasks.visible_text import visible

_MARKUP = re.compile(r"[\\|`*~]|(?<!\w)_|_(?!\w)")
_LINK = re.compile(r"\][(\[:]")  # without one of these behind it, a bracket is a bracket
_BRACKETS = re.compile(r"[\[\]]")


def markdown_cell(text: str) -> str:
    """Return a text as one cell of a Markdown table, with all markup escaped.

    That is: bars, tags, links, emphasis and code.
    """
    shown = " ".join(visible(text).replace("&", "&amp;").replace("<", "&lt;").split())
    escaped = _MARKUP.sub(r"\\\g<0>", shown)
    return _BRACKETS.sub(r"\\\g<0>", escaped) if _LINK.search(shown) else escaped


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Set[int] = frozenset()
) -> str:
    """Return a Markdown table with every cell escaped.

    Args:
        head: the names of the columns.
        rows: the values; None is an empty cell.
        numbers: indices of the columns that are aligned to the right.
    """
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    body = [["" if value is None else markdown_cell(str(value)) for value in row] for row in rows]
    lines = [[markdown_cell(name) for name in head], rule, *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown_code(text: str) -> str:
    """Return a text as a code span of one line.

    What would end the span or a table's cell is replaced: "`" by an apostrophe, "|" by a slash.
    """
    shown = " ".join(visible(text).split()).replace("`", "'").replace("|", "/")
    return f"`{shown}`" if shown else ""


def shortened(text: str, characters: int) -> str:
    """Return at most so many characters of a text, and how many more it has."""
    more = len(text) - characters
    if more <= 0:
        return text
    return f"{text[:characters]} … ({more:,} more characters)"


SHARED = Path(__file__).resolve().parent


def environment(*folders: Path) -> jinja2.Environment:
    """Return the templates in some folders and the shared ones.

    Every value is escaped, and its hidden characters are made visible.
    """
    loader = jinja2.FileSystemLoader([*folders, SHARED / "pages"])
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = number
    made.globals["shortened"] = shortened
    return made


def inline_style(*sheets: Path) -> Markup:
    """Return the shared style and style sheets of the project, to be written into a page."""
    files = [SHARED / "static" / "base.css", *sheets]
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in files))  # noqa: S704 - our own files


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def number(value: float | int | None, digits: int = 2) -> str:
    """Return a number as people read it: with thousands separators, an en dash for None."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"
