"""Starts a run again when its process was lost, later each time, and gives it up when that goes on.

It runs in the Prefect server's own process, so that one place decides, and counts in the history of
states that the server keeps: a run that loses its process before the flow begins counts as well.
Prefect's automations can do neither: they do not count, and on SQLite a busy server may drop the
event that one waits for.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import httpx
from prefect.utilities.urls import url_for

from flows.notices import ADDRESS, TIMEOUT_S, notification
from flows.run_states import GIVEN_UP
from flows.server.api import ServerApi

LOOK_S = 5.0
# Before the second and the third start. Not at once: a worker reports the end of a process twice,
# some seconds apart, and the second report would end the new start.
DELAYS_S = (15.0, 60.0)
MOST_STARTS = 1 + len(DELAYS_S)
LEAVE_S = 86_400.0  # what crashed longer ago is left as it is
RETRY = {
    "type": "SCHEDULED",
    "name": "AwaitingRetry",
    "message": "its process was lost; waiting for a free worker",
}
GIVE_UP = {
    "type": "FAILED",
    "name": GIVEN_UP,
    "message": (
        f"this run lost its process {MOST_STARTS} times; look at the worker's "
        "machine, then run it again"
    ),
}
Run = dict[str, Any]
log = logging.getLogger("redial.crash_recovery")


class Step(Enum):
    """What is to be done about a crashed run now."""

    WAIT = "wait"
    RETRY = "retry"
    GIVE_UP = "give up"


@dataclass(frozen=True)
class PastState:
    """One state of a run's history."""

    type: str
    message: str
    at: datetime


def restarts(history: Sequence[PastState]) -> int:
    """Return how often a run was started again by us since it last ended otherwise than by a crash.

    A person may start a run again that was given up; it then has all its starts again. A stop of
    `redial serve` does not count.
    """
    count = 0
    for state in sorted(history, key=lambda state: state.at):
        if state.type in ("COMPLETED", "FAILED", "CANCELLED"):
            count = 0
        elif state.message == RETRY["message"]:
            count += 1
    return count


def next_step(history: Sequence[PastState], now: datetime) -> Step:
    """Return what to do about a run that is Crashed, from all of its states."""
    given = restarts(history)
    since = (now - max(state.at for state in history)).total_seconds()
    exhausted = given >= len(DELAYS_S)
    if since < DELAYS_S[0 if exhausted else given] or since >= LEAVE_S:
        return Step.WAIT
    return Step.GIVE_UP if exhausted else Step.RETRY


@dataclass(frozen=True)
class CrashedRunRescheduler:
    """Looks for crashed runs of our deployments and starts them again."""

    api: ServerApi

    def look(self, now: datetime | None = None) -> dict[str, Step]:
        """Start again or give up what crashed long enough ago, and return what was done, by run id.

        Raises:
            httpx.HTTPError: the server does not answer.
        """
        now = now or datetime.now(UTC)
        taken: dict[str, Step] = {}
        for run in self._crashed():
            step = next_step(self._history(run["id"]), now)
            if step is Step.WAIT or not self._set_state(
                run["id"], RETRY if step is Step.RETRY else GIVE_UP
            ):
                continue
            taken[run["id"]] = step
            if step is Step.GIVE_UP:
                self._notify(run)
        return taken

    def _crashed(self) -> list[Run]:
        ours = {
            "state": {"type": {"any_": ["CRASHED"]}},
            "tags": {"all_": ["redial"]},
            "deployment_id": {"is_null_": False},
        }
        body = {"flow_runs": ours, "sort": "END_TIME_DESC"}
        runs: list[Run] = (
            self.api.client.post("/flow_runs/filter", json=body).raise_for_status().json()
        )
        return runs

    def _history(self, run_id: str) -> list[PastState]:
        answer = self.api.client.get(
            "/flow_run_states/", params={"flow_run_id": run_id}
        ).raise_for_status()
        return [
            PastState(
                state["type"], state["message"] or "", datetime.fromisoformat(state["timestamp"])
            )
            for state in answer.json()
        ]

    def _set_state(self, run_id: str, state: dict[str, str]) -> bool:
        """Change a run's state and return True, unless a person was faster."""
        if (
            self.api.client.get(f"/flow_runs/{run_id}").raise_for_status().json()["state"]["type"]
            != "CRASHED"
        ):
            return False
        self.api.client.post(
            f"/flow_runs/{run_id}/set_state", json={"state": state}
        ).raise_for_status()
        log.warning("run %s: %s", run_id, state["message"])
        return True

    def _notify(self, run: Run) -> None:
        """Send the notification that a run sends of its end: this one has no process that could."""
        address = os.environ.get(ADDRESS)
        if not address:
            return
        flow = self.api.client.get(f"/flows/{run['flow_id']}").raise_for_status().json()["name"]
        page = url_for("flow-run", obj_id=run["id"]) or ""
        body = notification(flow, run["name"], GIVE_UP["name"], GIVE_UP["message"], page)
        try:
            httpx.post(address, json=body, timeout=TIMEOUT_S).raise_for_status()
        except httpx.HTTPError as error:
            log.warning(
                "no notification about this run could be sent to %s: %s",
                ADDRESS,
                type(error).__name__,
            )


def recover_crashed_runs(api: ServerApi) -> None:
    """Look after crashed runs in a thread of its own, from now on. Returns at once."""
    threading.Thread(target=_look_for_ever, args=(api,), daemon=True, name="crash-recovery").start()


def _look_for_ever(api: ServerApi) -> None:
    rescheduler = CrashedRunRescheduler(api)
    while True:
        time.sleep(LOOK_S)
        try:
            rescheduler.look()
        except httpx.HTTPError as error:  # the server is starting, stopping or busy
            log.info("the server does not answer: %s", type(error).__name__)
