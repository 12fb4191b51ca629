"""What every test may use."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from flows.server.ephemeral import PrivateServer, local_server
from tests.support.examples import PROFILE, examples

if TYPE_CHECKING:
    from tests.support.plain_build import BuiltDemo

# How long an example takes depends on what else the machine does.
settings.register_profile(PROFILE, deadline=None, max_examples=examples())
settings.load_profile(PROFILE)

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

PROJECT = Path(__file__).resolve().parents[1]

# What is set up once for several files: all of them run in the same process of the test run.
SHARED = re.compile(r"^def test_\w+\([^)]*\b(served|repaired_demo)\b", re.MULTILINE)

# Rooms whose tests start builds, servers or browsers.
SLOW_ROOMS = tuple(
    f"tests/{room}/"
    for room in ("flows", "cli", "generate", "demo", "reports", "lineage", "history", "diff")
)


class ByFile(LoadScopeScheduling):
    """Sends the tests of a file to one process, and files that share a fixture to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return process_group(nodeid.partition("::")[0])


@cache
def process_group(path: str) -> str:
    """Return the name of what a test file shares with others; its path if it shares nothing."""
    shared = SHARED.search((PROJECT / path).read_text(encoding="utf-8"))
    return shared[1] if shared else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Group by file in place of --dist loadgroup, which xdist 3.8 cannot do with pytest 9.2."""
    # Files are handed out as `pytest_collection_modifyitems` has ordered them.
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose tests are slow: quick ones fill both processes at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW_ROOMS))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real review data beside the project; tests that need it are skipped where it is not."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data here")
    return folder


@pytest.fixture(scope="session")
def flow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A private Prefect server that flows may be run on, one for each process of the test run."""
    with local_server(tmp_path_factory.mktemp("prefect"), lambda: None) as server:
        yield server


@pytest.fixture(scope="session")
def repaired_demo(tmp_path_factory: pytest.TempPathFactory) -> BuiltDemo:
    """A build of 30 dialogues of the demo, some at their second attempt; whoever changes it makes a copy."""
    from tests.support.plain_build import build_repaired_demo

    return build_repaired_demo(tmp_path_factory.mktemp("repaired"))
