"""The mock model server, shared by all tests of this folder."""

from tests.support.model_fixtures import one_server, server

__all__ = ["one_server", "server"]
