"""Every error message that docs/troubleshooting.md quotes is one that the code can raise."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import DOCS, PROJECT

ROWS = re.findall(
    r"^\| (.+?) \| .+ \|$", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE
)
QUOTED = [row.strip("`") for row in ROWS if row.startswith("`")]
VALUE = "\0"  # where a message holds a value


def message(node: ast.expr) -> str:
    """Return a string's text with a mark for each value in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(message(part) for part in node.values)
    return VALUE


@pytest.fixture(scope="module")
def messages() -> list[str]:
    """Return every string of the code."""
    found = []
    for room in ("flows", "tasks"):
        for file in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant | ast.JoinedStr):
                    found.append(message(node))
    return found


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_quoted_message_is_in_the_code(quoted: str, messages: list[str]) -> None:
    pattern = re.compile("[^\0]*\0.*?".join(re.escape(part) for part in quoted.split("…")), re.S)
    assert any(pattern.search(one) for one in messages)


def test_many_messages_are_explained() -> None:
    assert len(QUOTED) >= 40
