"""`--accepted N` asks until so many dialogues are accepted, each template with its share, and goes on where it ended."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import environment_without, redial_command


def build(data: Path, accepted: int) -> dict[str, Any]:
    kept = environment_without("PREFECT_API_URL")
    command = redial_command(data, "build", "demo")
    worse = ["--set", "generate.misbehave.garbled=0.4", "--max-attempts", "1"]
    done = subprocess.run(
        [*command, "--accepted", str(accepted), *worse, "--json"],
        env=kept,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return {row["verdict"]: row["briefs"] for row in result["funnel"]} | {
        "answers": result["cost"]["answers this run"]
    }


@pytest.mark.heavy
def test_a_target_of_accepted_dialogues_is_reached_and_no_more_asked_than_it_takes(
    tmp_path: Path,
) -> None:
    first = build(tmp_path, 40)
    assert 40 <= first["accepted"] <= 45 and first["rejected"] > 0 and first["unasked"] > 40
    assert first["answers"] == first["accepted"] + first["rejected"]
    second = build(tmp_path, 60)
    assert (
        60 <= second["accepted"] <= 66
        and sum(second[name] for name in ("accepted", "rejected", "failed", "unasked")) == 187
    )
    # Nothing is asked twice.
    assert second["answers"] == second["accepted"] + second["rejected"] - first["answers"]
