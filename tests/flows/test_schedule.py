"""A schedule on the backfill fires, and what is there already is not done again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.served import Served, until

EVERY_S = 15


@pytest.mark.heavy
def test_a_schedule_fires_and_the_second_run_does_no_stage_again(served: Served) -> None:
    schedules = f"/deployments/{served.deployment('backfill/backfill')['id']}/schedules"
    often = {
        "schedule": {"interval": EVERY_S},
        "active": True,
        "parameters": {"domains": ["nightly"]},
    }
    (made,) = served.client.post(schedules, json=[often]).raise_for_status().json()
    try:
        until(
            lambda: len(ended(served)) >= 2,
            240,
            lambda: f"no two scheduled runs ended: {served.runs_of('backfill')}",
        )
    finally:
        served.client.delete(f"{schedules}/{made['id']}").raise_for_status()
    for run in ended(served)[:2]:
        assert run["state"]["name"] == "Completed", served.logs(run["id"])
        assert run["auto_scheduled"] and run["created_by"]["type"] == "SCHEDULE"
    first, second = served.runs_of("nightly")[:2]
    did, did_again = recorded(served, first["id"]), recorded(served, second["id"])
    stages = {name for name in did if "chunk" not in name}
    assert {"nightly-ingest", "nightly-briefs", "nightly-quality-1", "nightly-verdicts"} <= stages
    assert set(did.values()) == {"Completed"}
    assert did_again == dict.fromkeys(stages, "Cached")
    assert "| answers this run | 0 |" in served.artifacts(second["id"])["nightly-summary"]["data"]


def recorded(served: Served, run_id: str) -> dict[str, str]:
    """Return a run's tasks once its last one is on record: the server writes them down after the run has ended."""
    until(
        lambda: "nightly-verdicts" in served.tasks(run_id),
        60,
        lambda: f"{served.tasks(run_id)}\n{served.logs(run_id)}",
    )
    return served.tasks(run_id)


def ended(served: Served) -> list[dict[str, Any]]:
    runs = [
        run
        for run in served.runs_of("backfill")
        if run["auto_scheduled"] and run["state"]["type"] in ("COMPLETED", "FAILED")
    ]
    return sorted(runs, key=lambda run: run["start_time"])
