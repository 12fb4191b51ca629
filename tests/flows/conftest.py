"""One `redial serve` for all tests of operation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.served import Served, demo_like, processes, serving, until


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running `redial serve` with one worker, and some domains of our own.

    At the end nothing of it may be left.
    """
    data = tmp_path_factory.mktemp("served")
    for name, dialogues in (
        ("own", 40),
        ("nightly", 20),
        ("twice", 20),
        ("held", 20),
        ("slow", 100),
    ):
        demo_like(data, name, title=name.capitalize(), briefs={"max_dialogues": dialogues})
    with serving(data) as running:
        yield running
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")
