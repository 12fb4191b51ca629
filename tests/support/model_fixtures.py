"""Fixtures around the mock model server, for the conftest files of the rooms that ask models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.model_process import ModelServer, model_server

MARKER_KEY = "sk-marker-0123456789abcdef"


@pytest.fixture(scope="session")
def one_server() -> Iterator[ModelServer]:
    """The server process all tests share."""
    with model_server() as server:
        yield server


@pytest.fixture
def server(one_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """The server as if new, and a key in the environment."""
    from tests.support.server_state import Behaviour

    monkeypatch.setenv("OPENAI_API_KEY", MARKER_KEY)
    one_server.behave(**vars(Behaviour()))
    one_server.reset()
    yield one_server
