"""Untrusted text made fit for a page: nothing in it acts, nothing in it hides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

# C0 and C1 controls but tab and line ends, marks without width or that turn the writing direction, surrogates, non-characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)

_MARKUP = re.compile(r"[\\|`*~]|(?<!\w)_|_(?!\w)")
_LINK = re.compile(r"\][(\[:]")  # without one of these behind it, a bracket is a bracket
_BRACKETS = re.compile(r"[\[\]]")


def visible(text: str) -> str:
    """Return a text in which control characters and direction marks are spelled out as <U+202E>, so that a page shows what is there."""
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def escaped_json(text: str) -> str:
    """Return JSON that means the same, in which characters that act or hide are written as escapes."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def markdown_cell(text: str) -> str:
    """Return a text as one cell of a Markdown table, in which nothing is markup: no bar, tag, link, emphasis or code."""
    shown = " ".join(visible(text).replace("&", "&amp;").replace("<", "&lt;").split())
    escaped = _MARKUP.sub(r"\\\g<0>", shown)
    return _BRACKETS.sub(r"\\\g<0>", escaped) if _LINK.search(shown) else escaped


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Set[int] = frozenset()) -> str:
    """Return a Markdown table; every cell is escaped, None is an empty one, and the columns in `numbers` stand to the right."""
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    body = [["" if value is None else markdown_cell(str(value)) for value in row] for row in rows]
    lines = [[markdown_cell(name) for name in head], rule, *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown_code(text: str) -> str:
    """Return a text as a code span of one line; whatever would end the span, or a table's cell, is replaced by an apostrophe or a slash."""
    shown = " ".join(visible(text).split()).replace("`", "'").replace("|", "/")
    return f"`{shown}`" if shown else ""


def shortened(text: str, characters: int) -> str:
    """Return a text of at most so many characters; what is cut off is told."""
    return text if len(text) <= characters else f"{text[:characters]} … ({len(text) - characters:,} more characters)"
