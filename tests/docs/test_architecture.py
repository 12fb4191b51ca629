"""ARCHITECTURE.md fits a screen and a half, and what it names is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import PROJECT

TEXT = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
TO_FIND = {
    "rate limiter": "tasks/llm/rate_limiter.py",
    "the funnel": "tasks/funnel/",
    "title matcher": "tasks/dialogues/title_matcher.py",
    "release writer": "tasks/release/writer.py",
    "crash recovery": "flows/server/crash_recovery.py",
}


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 95


@pytest.mark.parametrize(("wanted", "path"), TO_FIND.items())
def test_who_looks_for_a_part_finds_its_path(wanted: str, path: str) -> None:
    rows = [line for line in TEXT.splitlines() if re.match(rf"\| [^|]*\b{wanted}", line)]
    assert len(rows) == 1 and f"`{path}`" in rows[0]
    assert (PROJECT / path).exists()


def test_every_room_is_named() -> None:
    rooms = {
        path.stem if path.suffix == ".py" else path.name
        for path in (PROJECT / "tasks").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    named = set(re.findall(r"`(?:tasks/)?(\w+)[/.`]", TEXT))
    assert sorted(rooms - named - {"__init__"}) == []
