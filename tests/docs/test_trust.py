"""docs/explanation/trust.md and security.md name only tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, PROJECT

TEXT = "".join(
    (DOCS / "explanation" / page).read_text(encoding="utf-8")
    for page in ("trust.md", "security.md")
)
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_named_test_is_there(file: str, test: str) -> None:
    text = (PROJECT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {test or 'test_'}", text, re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(NAMED) > 60
