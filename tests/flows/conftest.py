"""One `redial serve` for all tests of operation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.served import Served, demo_like, processes, serving, until


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running `redial serve` with one worker, and two domains of our own. At the end nothing of it may be left."""
    data = tmp_path_factory.mktemp("served")
    demo_like(data, "own", title="Our own", briefs={"max_dialogues": 40})
    demo_like(data, "nightly", title="Nightly", briefs={"max_dialogues": 20})
    with serving(data) as running:
        yield running
    until(lambda: not processes(data), 20, lambda: f"left behind: {processes(data)}")
