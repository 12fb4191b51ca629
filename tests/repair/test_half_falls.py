"""When half of the first dialogues fall, as in the paper, repair brings nearly all back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.repair import built


@pytest.mark.heavy
@pytest.mark.parametrize("profile", ["grounded", "paper"])
def test_repair_brings_nearly_all_back(tmp_path: Path, profile: str) -> None:
    found = built(tmp_path, profile)
    first = found["attempts"][0]
    assert 0.35 <= first["accepted"] / first["asked"] <= 0.65
    assert len(found["attempts"]) <= 3
    assert found["verdicts"]["accepted"] >= 0.95 * sum(found["verdicts"].values())
    assert (
        found["cost"]["tokens per accepted dialogue"]
        < found["cost"]["tokens per accepted, discard-only"]
    )
