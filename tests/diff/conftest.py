from __future__ import annotations

import pytest

from tasks.diff import Diff, compare_sides, read_sides
from tasks.settings import Home
from tests.support.two_profiles import build_variants

GARBLED = {"max_attempts": 1, "misbehave": {"garbled": 0.4}}


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """`good` and `bad`: the same 40 briefs; `bad` has a writer that spoils four of ten answers.

    Shared by the tests of this folder, which only read it.
    """
    folder = tmp_path_factory.mktemp("variants")
    return build_variants(folder, 40, good={"max_attempts": 1}, bad=GARBLED)


@pytest.fixture(scope="package")
def compared(built: Home) -> Diff:
    return compare_sides(*read_sides(built, "good", "bad"))
