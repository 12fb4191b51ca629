"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

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
SHARED = ("served", "repaired_demo")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and those of the files that share what takes long to set up."""
    groups: dict[Path, str] = {}
    for item in items:
        if item.get_closest_marker("heavy"):
            continue
        for name in SHARED:
            if name in getattr(item, "fixturenames", ()):
                groups[item.path] = name
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups.get(item.path, item.path.as_posix())))


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
