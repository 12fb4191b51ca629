"""docs/trust.md names only tests that are there."""

from __future__ import annotations

import re

import pytest

from tests.docs.test_pages import PROJECT

NAMED = sorted(
    set(
        re.findall(
            r"`(tests/[\w/]+\.py)(?:::(\w+))?`",
            (PROJECT / "docs" / "trust.md").read_text(encoding="utf-8"),
        )
    )
)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_named_test_is_there(file: str, test: str) -> None:
    text = (PROJECT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {test or 'test_'}", text, re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(NAMED) > 40
