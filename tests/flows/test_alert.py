"""A build beyond a threshold of its domain file ends in `Alert` on a real server, and is posted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.notices import ADDRESS
from flows.run_states import ALERT
from flows.server.ephemeral import PrivateServer
from tasks.polling import wait_until
from tests.support.builds_in_turn import prefect_server
from tests.support.command import redial_command
from tests.support.served import demo_like
from tests.support.webhook_receiver import webhook_receiver

LEAST_ACCEPTED = 0.99
GARBLED = 0.8  # share of the answers that the mock model spoils


def ask(api: PrivateServer, what: str, question: dict[str, Any]) -> Any:
    """Return what the server's filter for a kind of object answers."""
    user, _, password = api.login.partition(":")
    answer = httpx.post(f"{api.api}/{what}/filter", json=question, auth=(user, password))
    return answer.raise_for_status().json()


def stored_alerts(api: PrivateServer, run_id: str) -> list[dict[str, Any]]:
    """Return the run's events that an automation on `Alert` would act on."""
    wanted = {
        "resource": {"id": [f"prefect.flow-run.{run_id}"]},
        "event": {"name": [f"prefect.flow-run.{ALERT}"]},
    }
    events: list[dict[str, Any]] = ask(api, "events", {"filter": wanted, "limit": 5})["events"]
    return events


def build(data: Path, domain: str, api: PrivateServer, webhook: str) -> None:
    """Build 20 dialogues of a domain at one attempt each, on a server that is there."""
    environment = {
        **os.environ,
        "PREFECT_API_URL": api.api,
        "PREFECT_API_AUTH_STRING": api.login,
        ADDRESS: webhook,
    }
    command = redial_command(data, "build", domain, "--max-dialogues", "20", "--max-attempts", "1")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.heavy
def test_a_build_below_its_threshold_ends_in_alert_and_is_posted(tmp_path: Path) -> None:
    demo_like(
        tmp_path,
        "strict",
        generate={"model": "offline/writer", "misbehave": {"garbled": GARBLED}},
        alert={"acceptance_below": LEAST_ACCEPTED},
    )
    with prefect_server(tmp_path / "prefect") as api, webhook_receiver() as (webhook, received):
        build(tmp_path, "strict", api, webhook)
        (run,) = ask(api, "flow_runs", {"flow_runs": {"parent_task_run_id": {"is_null_": True}}})
        wait_until(lambda: bool(stored_alerts(api, run["id"])), 10)
    assert (run["state_name"], run["state_type"]) == (ALERT, "COMPLETED")
    message = run["state"]["message"]
    assert message.startswith("acceptance ")
    assert message.endswith(f"is below {LEAST_ACCEPTED:.1%}")
    (posted,) = received
    assert (posted["state"], posted["message"]) == (ALERT, message)
    assert posted["run"] == run["name"]
    assert any((tmp_path / "releases" / "strict").iterdir())
