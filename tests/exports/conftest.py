from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.exports import Source
from tests.support.hostile_release import our_release, published_folder

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(params=["ours", "published"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """A release whose text tries to break every format, ours and a published folder."""
    if request.param == "ours":
        return Source("demo", our_release(tmp_path / "data"))
    return Source("Movie (copy)", published_folder(tmp_path / "Movie"))
